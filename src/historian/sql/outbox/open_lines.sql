select name from line where ?1 < ?2
