-- Top users by request count (last 24h)
SELECT user_id, COUNT(*) as requests, SUM(input_tokens + output_tokens) as total_tokens
FROM usage_log
WHERE created_at > datetime('now', '-1 day')
GROUP BY user_id ORDER BY requests DESC;

-- Model usage breakdown
SELECT model_id, category_id, COUNT(*) as requests, AVG(latency_ms) as avg_latency
FROM usage_log
WHERE created_at > datetime('now', '-7 days')
GROUP BY model_id;
