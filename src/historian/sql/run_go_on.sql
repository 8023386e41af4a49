-- A run of the same process after its configuration has changed: the same boot and version.
insert into run (boot, version, started_us, started_mono_us)
select boot, version, ?2, ?3 from run where id = ?1
