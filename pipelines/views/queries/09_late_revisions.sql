-- Published versions of cells, by day and cause; late ones came after what had been published.
SELECT day, cause, COUNT(*) AS versions, COUNT(DISTINCT scale_set_id) AS scale_sets, MAX(revision) AS revision
FROM {trueup}revisions
GROUP BY day, cause
ORDER BY day, cause
