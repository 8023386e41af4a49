pragma query_only = on;
pragma cache_size = -4000;
pragma temp_store = memory;
pragma trusted_schema = off;
pragma cell_size_check = on;
