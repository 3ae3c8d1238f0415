-- Corrected availability by scale set and day as it stood published at the moment of the views NAME_as_of, and now.
SELECT n.scale_set_id, n.day, o.corrected AS published, n.corrected AS now
FROM (
  SELECT scale_set_id, day, SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected
  FROM {trueup}availability GROUP BY scale_set_id, day
) n
LEFT JOIN (
  SELECT scale_set_id, day, SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected
  FROM {trueup}availability_as_of GROUP BY scale_set_id, day
) o ON o.scale_set_id = n.scale_set_id AND o.day = n.day
WHERE o.corrected IS NULL OR n.corrected <> o.corrected
ORDER BY n.scale_set_id, n.day
