SELECT scale_set_id, instance_id, onset, verdict,
  CASE WHEN COUNT(ended) = COUNT(*) THEN MAX(ended) END AS ended,
  CASE WHEN COUNT(ended) = COUNT(*) THEN 0 ELSE 1 END AS still_open,
  CASE MAX(CASE worst_state WHEN 'Unavailable' THEN 3 WHEN 'Degraded' THEN 2 WHEN 'Unknown' THEN 1 ELSE 0 END)
    WHEN 3 THEN 'Unavailable' WHEN 2 THEN 'Degraded' WHEN 1 THEN 'Unknown' ELSE 'Available' END AS worst_state,
  MAX(verb) AS verb, MAX(initiator) AS initiator,
  MAX(operation_start) AS operation_start, MAX(operation_end) AS operation_end, MAX(excused_until) AS excused_until,
  CASE verdict WHEN 'overrun' THEN MAX(excused_until) WHEN 'unexcused' THEN onset WHEN 'fault' THEN onset
    WHEN 'unexplained' THEN onset END AS counted_from,
  MAX(candidates) AS candidates, COUNT(*) AS attribution_rows,
  SUM(COALESCE(excused_seconds, 0)) AS excused_seconds, SUM(COALESCE(counted_seconds, 0)) AS counted_seconds,
  MAX(operation_key) AS operation_key, MAX(signal_event_id) AS signal_event_id
FROM {trueup}attributions{of}
GROUP BY scale_set_id, instance_id, onset, verdict
