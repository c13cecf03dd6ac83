
-- The records: how many there are, how many tasks lack some, and how many belong to no task.
CREATE TEMP TABLE kept AS
SELECT line ->> '$.task_key' AS task_key, count(DISTINCT line ->> '$.revision') AS records
FROM record_line GROUP BY 1;
SELECT 'records', '', count(*) FROM record_line;
SELECT 'incomplete', '', count(*) FROM told LEFT JOIN kept USING (task_key)
WHERE revisions IS NOT coalesce(records, 0);
SELECT 'stray', '', count(*) FROM kept WHERE task_key NOT IN (SELECT task_key FROM told);
