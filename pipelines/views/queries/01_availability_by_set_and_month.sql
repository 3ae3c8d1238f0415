-- Availability by scale set and month, raw and corrected: ratios of sums.
SELECT scale_set_id, month,
  SUM(raw_available * seconds) / NULLIF(SUM((raw_available + raw_degraded + raw_unavailable) * seconds), 0) AS raw,
  SUM(up * seconds) / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds), 0) AS corrected
FROM {trueup}availability
GROUP BY scale_set_id, month
ORDER BY scale_set_id, month
