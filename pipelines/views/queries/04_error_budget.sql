-- Of each scale set and month, the share of the error budget of a target of 99.9 % that is spent (above 1: missed).
SELECT scale_set_id, month,
  SUM((degraded + unavailable + overrun) * seconds) AS bad_seconds,
  SUM((degraded + unavailable + overrun) * seconds)
    / NULLIF(SUM((up + degraded + unavailable + overrun) * seconds) * (1 - 0.999E0), 0) AS spent
FROM {trueup}availability
GROUP BY scale_set_id, month
ORDER BY spent DESC, scale_set_id, month
