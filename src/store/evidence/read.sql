-- The lines of a file are JSON objects, none of which has a raw character 31, so a line becomes one column.
CREATE TEMP TABLE task_line(line TEXT);
CREATE TEMP TABLE record_line(line TEXT);
.mode ascii
.separator "\037" "\n"
.import --schema temp tasks.jsonl task_line
.import --schema temp records.jsonl record_line
.mode list
.separator "|" "\n"

