-- Full: a commit is on the disk before it is acknowledged. With normal, a power cut takes the last commits.
pragma synchronous = full;
pragma wal_autocheckpoint = 4000;
pragma journal_size_limit = 67108864;
pragma cache_size = -16000;
pragma temp_store = memory;
pragma foreign_keys = on;
pragma trusted_schema = off;
pragma cell_size_check = on;
