DELETE FROM ledger.configuration;
INSERT INTO ledger.alert VALUES
	(1, 'acme-total', 'total', '1970-01-01 00:00:00+00', 1000000000000, '0.5', 'alt_7828a402bac4a12b69b41cd3538a7be6', NULL, 1651756199334, '2026-11-21 22:47:09.702224+00'),
	(1, 'acme-total', 'total', '1970-01-01 00:00:00+00', 1000000000000, '0.8', 'alt_154712b4fb342263acd6d3faf90bdf1b', NULL, 1651756199334, '2026-11-21 22:47:09.702224+00'),
	(1, 'acme-total', 'total', '1970-01-01 00:00:00+00', 1000000000000, '1', 'alt_7b11f0df4600e5d6e09273712d8f27c1', NULL, 1651756199334, '2026-11-21 22:47:09.702224+00') ON CONFLICT DO NOTHING;

INSERT INTO ledger.api_key VALUES
	(1, 'lk_ynbq68j14d', '\xd251cfe6d69e5173bba65343a35cabc62d21aeae034526017a065cbb9c7dc45b', 'gateway', '{ingest}', '2026-11-21 22:47:17.3865+00', 'cli', NULL, NULL),
	(0, 'lk_e0qeqrdwej', '\x7c287a2135763ca830bc816a2d31e131e77d90fe48df79cedb7954bff7adb912', 'reports', '{finance,read}', '2026-11-21 22:47:18.662417+00', 'cli', NULL, NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.batch VALUES
	(1, 1, '2026-11-21 22:46:39.013712+00', 0, 2, '\x60c731bf6acafca1ff56b50a240681da3b763617435b38100add37ff1091fa94'),
	(1, 2, '2026-11-21 22:46:43.450216+00', 0, 1, '\xefbbe5c263d41e8eb01843ed0d2e93ab8c8c87810fda973706e5d32bc9f2c049'),
	(1, 3, '2026-11-21 22:46:51.821728+00', 0, 1, '\x2c1c16cc352d69225fd477a2d6a8f09ad97b63a045aeb498ae83059be6bcd11c'),
	(1, 4, '2026-11-21 22:46:57.38823+00', 0, 1, '\xe6a1d25f08193931aea96e642881bd76a5e6cfa8d760f05d47442c886cd50112'),
	(1, 5, '2026-11-21 22:47:01.183858+00', 0, 1, '\xfc83469a85a3e57c43045a5c84cc807a242c6774e07fbf95f7814685ebc662f9'),
	(1, 6, '2026-11-21 22:47:04.598749+00', 0, 1, '\x2eaae6e541bce7ee5c2dde5609101151ae1fc218f7c408355ea3d26754bd18a8'),
	(1, 7, '2026-11-21 22:47:09.702224+00', 34, 4, '\xb66d45d26f99927c17b0989395621f0c51c9de8749b2a5283f021c2f64f2fd95'),
	(1, 8, '2026-11-21 22:47:11.806965+00', 0, 4, '\x4a23d2a321e7240082da193d438c4893a2cff73952ee07255b7dafe65faf3ad9'),
	(1, 9, '2026-11-21 22:47:13.288866+00', 1, 1, '\x050cf0746034c61361a6d4d76992fd49a4188575e58f918ee7967430ff682dbc'),
	(1, 10, '2026-11-21 22:47:14.69464+00', 2, 1, '\x31b8ea4458d084603898cc92b907dcc46f74ccc872abe99f6036a3021b57d240'),
	(1, 11, '2026-11-21 22:47:16.072631+00', 0, 1, '\xcbaa7e9643b07bad6ef4a77fce0d79ad37a6ba74e71783d6ed0f987424eb1d62'),
	(1, 12, '2026-11-21 22:47:17.3865+00', 0, 1, '\x528d9953b0aa629ea68653a80b85f31c2f2b6dd885a80147a505996aa87eaee8'),
	(1, 13, '2026-11-21 22:47:18.662417+00', 0, 1, '\xe695551e50c4ee093750c69b23760463aa3ca26aadd7dc634a7af0aaaeb7135e') ON CONFLICT DO NOTHING;

INSERT INTO ledger.configuration VALUES
	(true, 9, 'USD') ON CONFLICT DO NOTHING;

INSERT INTO ledger.customer OVERRIDING SYSTEM VALUE VALUES
	(0, ''),
	(1, 'acme'),
	(2, 'hooli'),
	(3, 'globex'),
	(4, 'stark') ON CONFLICT DO NOTHING;

INSERT INTO ledger.customer_setting VALUES
	(1, 'ten'),
	(2, 'tiered') ON CONFLICT DO NOTHING;

INSERT INTO ledger.meter_version VALUES
	(1, 'ten', 1, 'percentage', '10', NULL),
	(2, 'tiered', 1, 'graduated', NULL, '{"unit": "tokens_1m", "tiers": [[0, "5.00"], [500000, "3.00"]], "period": "month"}') ON CONFLICT DO NOTHING;

INSERT INTO ledger.rate_table VALUES
	(1, 'fireworks', '2025-01-01', '2025-01-01 00:00:00+00', 'USD', 'Undated Fireworks AI tutorial, section "Serverless Pricing (Per Million Tokens)". Assumed: the date, and the exact model ids behind the tutorial''s display names. It states no cached-input price, so cached tokens bill as input. whisper-v3 is priced per audio minute exactly as printed there; check it before use, since the provider''s own page showed a far lower price for whisper-v3-turbo.', 'a363ac42159017ae9ecd268e8e13a32332635efe0bcd5d93ca2511df5e79899c', 'fireworks/2025-01-01.yaml', '# Prices are USD per 1M tokens unless a line says otherwise.
provider: fireworks
version: "2025-01-01"
effective_from: 2025-01-01T00:00:00Z
currency: USD
source: >-
  Undated Fireworks AI tutorial, section "Serverless Pricing (Per Million Tokens)".
  Assumed: the date, and the exact model ids behind the tutorial''s display names.
  It states no cached-input price, so cached tokens bill as input.
  whisper-v3 is priced per audio minute exactly as printed there; check it before use,
  since the provider''s own page showed a far lower price for whisper-v3-turbo.
models:
  accounts/fireworks/models/llama-v3p3-70b-instruct: {input: "0.90", output: "0.90"}
  accounts/fireworks/models/llama-v3p1-405b-instruct: {input: "3.00", output: "3.00"}
  accounts/fireworks/models/deepseek-v3: {input: "0.90", output: "0.90"}
  accounts/fireworks/models/mixtral-8x22b-instruct: {input: "0.90", output: "0.90"}
  accounts/fireworks/models/firefunction-v2: {input: "0.90", output: "0.90"}
  whisper-v3: {audio_input: {price: "0.20", per: minute}}
  nomic-ai/nomic-embed-text-v1.5: {input: "0.008"}
'),
	(2, 'fireworks', '2026-05-12', '2026-05-12 00:00:00+00', 'USD', 'Lava''s documentation page for Fireworks, table of 20 chat completion models. Assumed: the date, taken from the page''s last change. The page states no cached-input price, so cached tokens bill as input.', '0de006a8ab77c4729a90341a132d776d6816957c0342af6e1ce006090806868a', 'fireworks/2026-05-12.yaml', '# Prices are USD per 1M tokens.
provider: fireworks
version: "2026-05-12"
effective_from: 2026-05-12T00:00:00Z
currency: USD
source: >-
  Lava''s documentation page for Fireworks, table of 20 chat completion models.
  Assumed: the date, taken from the page''s last change.
  The page states no cached-input price, so cached tokens bill as input.
models:
  accounts/fireworks/models/deepseek-v4-pro: {input: "1.74", output: "3.48"}
  accounts/fireworks/models/glm-5p1: {input: "1.40", output: "4.40"}
  accounts/fireworks/models/mixtral-8x22b-instruct: {input: "1.20", output: "1.20"}
  accounts/fireworks/models/glm-5: {input: "1.00", output: "3.20"}
  accounts/fireworks/models/kimi-k2p5-turbo: {input: "0.99", output: "4.94"}
  accounts/fireworks/models/kimi-k2p6: {input: "0.95", output: "4.00"}
  accounts/fireworks/models/llama-v3p3-70b-instruct: {input: "0.90", output: "0.90"}
  accounts/fireworks/models/kimi-k2-instruct: {input: "0.60", output: "2.50"}
  accounts/fireworks/models/kimi-k2-thinking: {input: "0.60", output: "2.50"}
  accounts/fireworks/models/kimi-k2p5: {input: "0.60", output: "3.00"}
  accounts/fireworks/models/glm-4p7: {input: "0.60", output: "2.20"}
  accounts/fireworks/models/deepseek-v3p1: {input: "0.56", output: "1.68"}
  accounts/fireworks/models/deepseek-v3p2: {input: "0.56", output: "1.68"}
  accounts/fireworks/models/qwen3p6-plus: {input: "0.50", output: "3.00"}
  accounts/fireworks/models/minimax-m2p5: {input: "0.30", output: "1.20"}
  accounts/fireworks/models/minimax-m2p7: {input: "0.30", output: "1.20"}
  accounts/fireworks/models/minimax-m3: {input: "0.30", output: "1.20"}
  accounts/fireworks/models/qwen3-vl-30b-a3b-thinking: {input: "0.15", output: "0.60"}
  accounts/fireworks/models/gpt-oss-120b: {input: "0.15", output: "0.60"}
  accounts/fireworks/models/gpt-oss-20b: {input: "0.07", output: "0.30"}
') ON CONFLICT DO NOTHING;

INSERT INTO ledger.dimension OVERRIDING SYSTEM VALUE VALUES
	(1, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', NULL, false, 1, 1, NULL, NULL, NULL, NULL),
	(2, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', NULL, false, 1, 2, NULL, NULL, NULL, NULL),
	(3, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', NULL, false, 1, NULL, NULL, NULL, NULL, NULL),
	(4, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'byok', NULL, false, 1, 2, NULL, NULL, NULL, NULL),
	(5, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'byok', NULL, false, 1, NULL, NULL, NULL, NULL, NULL),
	(6, 'fireworks', 'accounts/fireworks/models/deepseek-v4-pro', 'managed', NULL, false, 2, 1, NULL, NULL, NULL, NULL),
	(7, 'fireworks', 'accounts/fireworks/models/deepseek-v4-pro', 'managed', NULL, false, 2, 2, NULL, NULL, NULL, NULL),
	(8, 'fireworks', 'accounts/fireworks/models/deepseek-v4-pro', 'managed', NULL, false, 2, NULL, NULL, NULL, NULL, NULL),
	(9, 'fireworks', 'accounts/fireworks/models/deepseek-v4-pro', 'managed', NULL, false, NULL, 2, NULL, NULL, NULL, NULL),
	(10, 'fireworks', 'accounts/fireworks/models/deepseek-v4-pro', 'byok', NULL, false, 2, NULL, NULL, NULL, NULL, NULL),
	(11, 'fireworks', 'accounts/fireworks/models/glm-5p1', 'managed', NULL, false, 2, NULL, NULL, NULL, NULL, NULL),
	(12, 'fireworks', 'accounts/fireworks/models/glm-5p1', 'managed', NULL, false, NULL, 2, NULL, NULL, NULL, NULL),
	(13, 'fireworks', 'accounts/fireworks/models/glm-5p1', 'byok', NULL, false, 2, 2, NULL, NULL, NULL, NULL),
	(14, 'fireworks', 'accounts/fireworks/models/gpt-oss-120b', 'managed', NULL, false, 2, 1, NULL, NULL, NULL, NULL),
	(15, 'fireworks', 'accounts/fireworks/models/gpt-oss-120b', 'managed', NULL, false, 2, 2, NULL, NULL, NULL, NULL),
	(16, 'fireworks', 'accounts/fireworks/models/gpt-oss-120b', 'managed', NULL, false, 2, NULL, NULL, NULL, NULL, NULL),
	(17, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', NULL, false, 1, 1, NULL, NULL, NULL, NULL),
	(18, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', NULL, false, 1, 2, NULL, NULL, NULL, NULL),
	(19, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', NULL, false, 1, NULL, NULL, NULL, NULL, NULL),
	(20, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'byok', NULL, false, 1, NULL, NULL, NULL, NULL, NULL),
	(21, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', NULL, false, 1, 1, NULL, NULL, NULL, NULL),
	(22, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', NULL, false, 1, 2, NULL, NULL, NULL, NULL),
	(23, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', NULL, false, 1, NULL, NULL, NULL, NULL, NULL),
	(24, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'byok', NULL, false, 1, 1, NULL, NULL, NULL, NULL),
	(25, 'fireworks', 'nobody/knows-me', 'managed', NULL, false, NULL, NULL, NULL, NULL, NULL, NULL),
	(26, 'fireworks', 'whisper-v3', 'managed', NULL, false, 1, 1, NULL, NULL, NULL, NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.event_text VALUES
	('019d5d1f-d320-017f-725e-d09d3a0562d5', 3, 1, 'chatcmpl-0001', '{"team": "support", "feature": "chat"}', NULL, '\x21bf646804196f8c29279661fe3ba25f', NULL),
	('019d723b-4460-55c6-d09e-04924d52bc61', 4, 1, NULL, NULL, '{"trace":"trace-3"}', '\x9782f179b6c60fce36af1bdcd86c2ae8', NULL),
	('019db00d-12a0-c9ae-6b97-8d7d421bb123', 3, 1, 'chatcmpl-0009', '{"team": "support", "feature": "chat"}', '{"trace":"trace-9"}', '\x7d7fba9b63870f9261f333b9a898d419', NULL),
	('019dda43-f520-278d-7d69-33b93c1be0d0', 3, 1, 'chatcmpl-0013', '{"team": "support", "feature": "chat"}', NULL, '\x8e0d28be07819ad01aa69821f4087e87', NULL),
	('019d8756-b5a0-f4c9-3868-e6d9ca0bc36c', 3, 1, NULL, NULL, NULL, '\xb546d8f1eb4daeab284fe2d1adf4ce78', '{metadata,response_id}') ON CONFLICT DO NOTHING;

INSERT INTO ledger.event_text VALUES
	('019dedde-e0e0-ba56-7b74-fcfab3045b38', 4, 1, NULL, NULL, '{"trace":"trace-15"}', '\x08f6795d62ee46db701196770bfc347a', NULL),
	('019e02fa-5220-1f78-cbb5-811fb2f1a709', 3, 1, 'chatcmpl-0017', '{"team": "support", "feature": "chat"}', NULL, '\x27b030577537b064605495e273c5b5d1', NULL),
	('019e2bb0-af20-7a3b-51c2-87fd9a9390de', 3, 1, 'chatcmpl-0021', '{"team": "support", "feature": "chat"}', '{"trace":"trace-21"}', '\xb6d96fff671173c3a01dd30e3ea0c043', NULL),
	('019e55e7-91a0-c3f0-d8c5-6b56f0c9a819', 3, 1, 'chatcmpl-0025', '{"team": "support", "feature": "chat"}', NULL, '\x210e78324ba258992aba175d4d2c57c2', NULL),
	('019e6b03-02e0-02da-9505-41192d9b06df', 4, 1, NULL, NULL, '{"trace":"trace-27"}', '\xbfc2e70ba4a7e7788ef07f6f1efd5223', NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.invoice VALUES
	(1, 'INV-000001', 'finalised', '2026-04-01', '2026-05-01', 'USD', 1.31, 0.00, 1.31, -2810163334, '2026-11-21 22:47:11.806965+00', '1-7'),
	(2, 'INV-000002', 'finalised', '2026-04-01', '2026-05-01', 'USD', 4.58, 0.00, 4.58, 4398100000, '2026-11-21 22:47:11.806965+00', '1-7'),
	(3, 'INV-000003', 'finalised', '2026-04-01', '2026-05-01', 'USD', 1.65, 0.00, 1.65, -2502900000, '2026-11-21 22:47:11.806965+00', '1-7'),
	(4, 'INV-000004', 'finalised', '2026-04-01', '2026-05-01', 'USD', 0.63, 0.00, 0.63, 2673000000, '2026-11-21 22:47:11.806965+00', '1-7') ON CONFLICT DO NOTHING;

INSERT INTO ledger.invoice_line VALUES
	(1, 'INV-000001', 1, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', '2026-04-01', '2026-05-01', 1, 182419, 0, 6427, 169961400000, 16996140000, 186957540000, 0.19, NULL),
	(1, 'INV-000001', 2, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', '2026-04-01', '2026-05-01', 1, 182586, 0, 863, 550347000000, 55034700000, 605381700000, 0.61, NULL),
	(1, 'INV-000001', 3, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', '2026-04-01', '2026-05-01', 1, 169387, 42346, 7331, 159046200000, 15904620000, 174950820000, 0.17, NULL),
	(1, 'INV-000001', 4, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'byok', '2026-04-01', '2026-05-01', 1, 23241, 5810, 6612, 26867700000, 2686770000, 2686770000, 0.00, NULL),
	(1, 'INV-000001', 5, 'fireworks', 'whisper-v3', 'managed', '2026-04-01', '2026-05-01', 1, 0, 0, 0, 311666666667, 31166666667, 342833333334, 0.34, NULL),
	(2, 'INV-000002', 1, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'byok', '2026-04-01', '2026-05-01', 1, 25310, 0, 5359, 27602100000, 0, 0, 0.00, NULL),
	(2, 'INV-000002', 2, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', '2026-04-01', '2026-05-01', 1, 357128, 0, 3322, 1081350000000, 0, 1081350000000, 1.08, NULL),
	(2, 'INV-000002', 3, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', '2026-04-01', '2026-05-01', 1, 337743, 84435, 948, 304821900000, 0, 304821900000, 0.31, NULL),
	(2, 'INV-000002', 4, NULL, NULL, NULL, '2026-04-01', '2026-05-01', 0, 0, 0, 0, 0, 3189430000000, 3189430000000, 3.19, 'tiered'),
	(3, 'INV-000003', 1, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', '2026-04-01', '2026-05-01', 1, 336036, 0, 4653, 306620100000, 0, 306620100000, 0.31, NULL),
	(3, 'INV-000003', 2, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'managed', '2026-04-01', '2026-05-01', 2, 416643, 0, 10225, 1280604000000, 0, 1280604000000, 1.28, NULL),
	(3, 'INV-000003', 3, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', '2026-04-01', '2026-05-01', 2, 66257, 16264, 6275, 65278800000, 0, 65278800000, 0.06, NULL),
	(4, 'INV-000004', 1, 'fireworks', 'accounts/fireworks/models/deepseek-v3', 'managed', '2026-04-01', '2026-05-01', 1, 323434, 0, 1221, 292189500000, 0, 292189500000, 0.29, NULL),
	(4, 'INV-000004', 2, 'fireworks', 'accounts/fireworks/models/llama-v3p1-405b-instruct', 'byok', '2026-04-01', '2026-05-01', 1, 348596, 0, 5353, 1061847000000, 0, 0, 0.00, NULL),
	(4, 'INV-000004', 3, 'fireworks', 'accounts/fireworks/models/llama-v3p3-70b-instruct', 'managed', '2026-04-01', '2026-05-01', 1, 369550, 92387, 2825, 335137500000, 0, 335137500000, 0.34, NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.job_run VALUES
	('verify', '2026-11-20', 1, 'host/17469', '2026-11-21 22:47:19.944408+00', '2026-11-21 22:47:20.125394+00', 'done', true, '{"ok": true, "as_of": "2026-11-21T22:47:20.124547Z~1-13", "failed": []}') ON CONFLICT DO NOTHING;

INSERT INTO ledger.ledger_event VALUES
	(0, 1, 1, 1, 'rate_table_published', 'fireworks/2025-01-01', 'migrate', '{"file": "fireworks/2025-01-01.yaml", "models": 7, "source": "Undated Fireworks AI tutorial, section \"Serverless Pricing (Per Million Tokens)\". Assumed: the date, and the exact model ids behind the tutorial''s display names. It states no cached-input price, so cached tokens bill as input. whisper-v3 is priced per audio minute exactly as printed there; check it before use, since the provider''s own page showed a far lower price for whisper-v3-turbo.", "version": "2025-01-01", "currency": "USD", "provider": "fireworks", "fingerprint": "a363ac42159017ae9ecd268e8e13a32332635efe0bcd5d93ca2511df5e79899c", "effective_from": "2025-01-01T00:00:00Z"}', NULL, 3),
	(0, 1, 1, 2, 'rate_table_published', 'fireworks/2026-05-12', 'migrate', '{"file": "fireworks/2026-05-12.yaml", "models": 20, "source": "Lava''s documentation page for Fireworks, table of 20 chat completion models. Assumed: the date, taken from the page''s last change. The page states no cached-input price, so cached tokens bill as input.", "version": "2026-05-12", "currency": "USD", "provider": "fireworks", "fingerprint": "0de006a8ab77c4729a90341a132d776d6816957c0342af6e1ce006090806868a", "effective_from": "2026-05-12T00:00:00Z"}', NULL, 3),
	(0, 1, 2, 1, 'meter_published', 'ten', 'cli', '{"kind": "percentage", "version": 1, "meter_slug": "ten", "percentage": "10"}', NULL, 4),
	(1, 1, 3, 1, 'customer_changed', 'acme', 'cli', '{"meter_slug": "ten", "customer_id": "acme"}', NULL, 5),
	(0, 1, 4, 1, 'meter_published', 'tiered', 'cli', '{"kind": "graduated", "unit": "tokens_1m", "tiers": [{"rate": "5.00", "start": 0}, {"rate": "3.00", "start": 500000}], "period": "month", "version": 1, "meter_slug": "tiered", "percentage": null}', NULL, 6),
	(2, 1, 5, 1, 'customer_changed', 'hooli', 'cli', '{"meter_slug": "tiered", "customer_id": "hooli"}', NULL, 7),
	(1, 1, 6, 1, 'limit_set', 'acme-total', 'cli', '{"action": "alert", "amount": "1.00", "window": "total", "limit_id": "acme-total", "thresholds": ["0.5", "0.8", "1"], "customer_id": "acme"}', NULL, 8),
	(1, 1, 7, 1, 'alert_raised', 'alt_7828a402bac4a12b69b41cd3538a7be6', 'intake', '{"spend": "1.651756199334", "alert_id": "alt_7828a402bac4a12b69b41cd3538a7be6", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "0.5", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', NULL, NULL),
	(1, 1, 7, 2, 'alert_raised', 'alt_154712b4fb342263acd6d3faf90bdf1b', 'intake', '{"spend": "1.651756199334", "alert_id": "alt_154712b4fb342263acd6d3faf90bdf1b", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "0.8", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', NULL, NULL),
	(1, 1, 7, 3, 'alert_raised', 'alt_7b11f0df4600e5d6e09273712d8f27c1', 'intake', '{"spend": "1.651756199334", "alert_id": "alt_7b11f0df4600e5d6e09273712d8f27c1", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "1", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', NULL, NULL),
	(4, 1, 7, 4, 'unrated_found', 'unr_1d544c44fd355db83c2fbbedc6402406', 'intake', '{"batch": false, "model": "nobody/knows-me", "month": "2026-05", "region": null, "alert_id": "unr_1d544c44fd355db83c2fbbedc6402406", "provider": "fireworks", "accelerator": null, "customer_id": "stark", "service_tier": null}', NULL, NULL),
	(1, 1, 8, 1, 'invoice_finalised', 'INV-000001', 'cli', '{"cut": "1-7", "tax": "0.00", "lines": [{"fee": "0.016996140000", "cost": "0.169961400000", "exact": "0.186957540000", "model": "accounts/fireworks/models/deepseek-v3", "amount": "0.19", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 182419, "period_start": "2026-04-01", "output_tokens": 6427, "cached_input_tokens": 0}, {"fee": "0.055034700000", "cost": "0.550347000000", "exact": "0.605381700000", "model": "accounts/fireworks/models/llama-v3p1-405b-instruct", "amount": "0.61", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 182586, "period_start": "2026-04-01", "output_tokens": 863, "cached_input_tokens": 0}, {"fee": "0.015904620000", "cost": "0.159046200000", "exact": "0.174950820000", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct", "amount": "0.17", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 169387, "period_start": "2026-04-01", "output_tokens": 7331, "cached_input_tokens": 42346}, {"fee": "0.002686770000", "cost": "0.026867700000", "exact": "0.002686770000", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct", "amount": "0.00", "key_type": "byok", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 23241, "period_start": "2026-04-01", "output_tokens": 6612, "cached_input_tokens": 5810}, {"fee": "0.031166666667", "cost": "0.311666666667", "exact": "0.342833333334", "model": "whisper-v3", "amount": "0.34", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 0, "period_start": "2026-04-01", "output_tokens": 0, "cached_input_tokens": 0}], "total": "1.31", "number": "INV-000001", "status": "finalised", "currency": "USD", "rounding": "-0.002810163334", "subtotal": "1.31", "issued_at": "2026-11-21T22:47:11.806965Z", "period_end": "2026-05-01", "customer_id": "acme", "period_start": "2026-04-01"}', NULL, NULL),
	(2, 1, 8, 2, 'invoice_finalised', 'INV-000002', 'cli', '{"cut": "1-7", "tax": "0.00", "lines": [{"fee": "0.000000000000", "cost": "0.027602100000", "exact": "0.000000000000", "model": "accounts/fireworks/models/deepseek-v3", "amount": "0.00", "key_type": "byok", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 25310, "period_start": "2026-04-01", "output_tokens": 5359, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "1.081350000000", "exact": "1.081350000000", "model": "accounts/fireworks/models/llama-v3p1-405b-instruct", "amount": "1.08", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 357128, "period_start": "2026-04-01", "output_tokens": 3322, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "0.304821900000", "exact": "0.304821900000", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct", "amount": "0.31", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 337743, "period_start": "2026-04-01", "output_tokens": 948, "cached_input_tokens": 84435}, {"fee": "3.189430000000", "cost": "0.000000000000", "exact": "3.189430000000", "meter": "tiered", "model": null, "amount": "3.19", "key_type": null, "provider": null, "requests": 0, "period_end": "2026-05-01", "input_tokens": 0, "period_start": "2026-04-01", "output_tokens": 0, "cached_input_tokens": 0}], "total": "4.58", "number": "INV-000002", "status": "finalised", "currency": "USD", "rounding": "0.004398100000", "subtotal": "4.58", "issued_at": "2026-11-21T22:47:11.806965Z", "period_end": "2026-05-01", "customer_id": "hooli", "period_start": "2026-04-01"}', NULL, NULL),
	(3, 1, 8, 3, 'invoice_finalised', 'INV-000003', 'cli', '{"cut": "1-7", "tax": "0.00", "lines": [{"fee": "0.000000000000", "cost": "0.306620100000", "exact": "0.306620100000", "model": "accounts/fireworks/models/deepseek-v3", "amount": "0.31", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 336036, "period_start": "2026-04-01", "output_tokens": 4653, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "1.280604000000", "exact": "1.280604000000", "model": "accounts/fireworks/models/llama-v3p1-405b-instruct", "amount": "1.28", "key_type": "managed", "provider": "fireworks", "requests": 2, "period_end": "2026-05-01", "input_tokens": 416643, "period_start": "2026-04-01", "output_tokens": 10225, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "0.065278800000", "exact": "0.065278800000", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct", "amount": "0.06", "key_type": "managed", "provider": "fireworks", "requests": 2, "period_end": "2026-05-01", "input_tokens": 66257, "period_start": "2026-04-01", "output_tokens": 6275, "cached_input_tokens": 16264}], "total": "1.65", "number": "INV-000003", "status": "finalised", "currency": "USD", "rounding": "-0.002502900000", "subtotal": "1.65", "issued_at": "2026-11-21T22:47:11.806965Z", "period_end": "2026-05-01", "customer_id": "globex", "period_start": "2026-04-01"}', NULL, NULL),
	(4, 1, 8, 4, 'invoice_finalised', 'INV-000004', 'cli', '{"cut": "1-7", "tax": "0.00", "lines": [{"fee": "0.000000000000", "cost": "0.292189500000", "exact": "0.292189500000", "model": "accounts/fireworks/models/deepseek-v3", "amount": "0.29", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 323434, "period_start": "2026-04-01", "output_tokens": 1221, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "1.061847000000", "exact": "0.000000000000", "model": "accounts/fireworks/models/llama-v3p1-405b-instruct", "amount": "0.00", "key_type": "byok", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 348596, "period_start": "2026-04-01", "output_tokens": 5353, "cached_input_tokens": 0}, {"fee": "0.000000000000", "cost": "0.335137500000", "exact": "0.335137500000", "model": "accounts/fireworks/models/llama-v3p3-70b-instruct", "amount": "0.34", "key_type": "managed", "provider": "fireworks", "requests": 1, "period_end": "2026-05-01", "input_tokens": 369550, "period_start": "2026-04-01", "output_tokens": 2825, "cached_input_tokens": 92387}], "total": "0.63", "number": "INV-000004", "status": "finalised", "currency": "USD", "rounding": "0.002673000000", "subtotal": "0.63", "issued_at": "2026-11-21T22:47:11.806965Z", "period_end": "2026-05-01", "customer_id": "stark", "period_start": "2026-04-01"}', NULL, NULL),
	(2, 1, 9, 1, 'request_adjusted', 'req_01KNKTV2Y073RT53RQV0YE8KH7', 'cli', '{"kind": "void", "revisions": [2], "quantities": {}, "request_id": "req_01KNKTV2Y073RT53RQV0YE8KH7", "idempotency_key": "cli-4a99483fdbbafab7981f5090"}', 'sent by mistake', NULL),
	(4, 1, 10, 1, 'request_adjusted', 'req_01KNS3PH30AQ3D17G4J96N5F31', 'cli', '{"kind": "correction", "revisions": [2, 3], "quantities": {"output_tokens": 400}, "request_id": "req_01KNS3PH30AQ3D17G4J96N5F31", "idempotency_key": "cli-19160f970f84d76a399e72c6"}', 'counted twice', NULL),
	(3, 1, 11, 1, 'text_redacted', 'req_01KP3NDDD0YK4KGT76V750QGVC', 'cli', '{"erased": ["metadata", "response_id"], "digests": {"1": "b847c3bd64ef82548bb03dbea10747f603fd7b54725617d17cd1ffea0c8eeef5"}, "request_id": "req_01KP3NDDD0YK4KGT76V750QGVC"}', 'erasure request 12', NULL),
	(1, 1, 12, 1, 'key_created', 'lk_ynbq68j14d', 'cli', '{"name": "gateway", "digest": "d251cfe6d69e5173bba65343a35cabc62d21aeae034526017a065cbb9c7dc45b", "key_id": "lk_ynbq68j14d", "scopes": ["ingest"], "expires_at": null, "customer_id": "acme"}', NULL, NULL),
	(0, 1, 13, 1, 'key_created', 'lk_e0qeqrdwej', 'cli', '{"name": "reports", "digest": "7c287a2135763ca830bc816a2d31e131e77d90fe48df79cedb7954bff7adb912", "key_id": "lk_e0qeqrdwej", "scopes": ["finance", "read"], "expires_at": null, "customer_id": null}', NULL, NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.limit_window VALUES
	(1, 'acme-total', '1970-01-01 00:00:00+00', 1651756199334) ON CONFLICT DO NOTHING;

INSERT INTO ledger.meter_usage VALUES
	(2, 2, '2026-05-01', 712994),
	(2, 2, '2026-04-01', 699141) ON CONFLICT DO NOTHING;

INSERT INTO ledger.number_series VALUES
	('INV', 4) ON CONFLICT DO NOTHING;

INSERT INTO ledger.outbox VALUES
	(1, 'alert', 'alt_7828a402bac4a12b69b41cd3538a7be6', '{"spend": "1.651756199334", "alert_id": "alt_7828a402bac4a12b69b41cd3538a7be6", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "0.5", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', '2026-11-21 22:47:09.702224+00', NULL),
	(1, 'alert', 'alt_154712b4fb342263acd6d3faf90bdf1b', '{"spend": "1.651756199334", "alert_id": "alt_154712b4fb342263acd6d3faf90bdf1b", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "0.8", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', '2026-11-21 22:47:09.702224+00', NULL),
	(1, 'alert', 'alt_7b11f0df4600e5d6e09273712d8f27c1', '{"spend": "1.651756199334", "alert_id": "alt_7b11f0df4600e5d6e09273712d8f27c1", "limit_id": "acme-total", "raised_at": "2026-11-21T22:47:09.702224Z", "threshold": "1", "window_end": null, "customer_id": "acme", "limit_amount": "1.00", "window_start": null}', '2026-11-21 22:47:09.702224+00', NULL),
	(4, 'unrated', 'unr_1d544c44fd355db83c2fbbedc6402406', '{"batch": false, "model": "nobody/knows-me", "month": "2026-05", "region": null, "alert_id": "unr_1d544c44fd355db83c2fbbedc6402406", "provider": "fireworks", "accelerator": null, "customer_id": "stark", "service_tier": null}', '2026-11-21 22:47:09.702224+00', NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.quarantine VALUES
	('cli', '\x84b034336d6b7344b696a8bc6fcec66196ba74ca7a3b787e09de9b59049aaff6', 'conflicting_value', 'conflict', 'output_tokens', 'output_tokens: differs from what is recorded under this request id', 'globex', 'req_01KNEHZMS005ZQ4QPGKMX0ARPN', '\x7b22726571756573745f6964223a227265715f30314b4e45485a4d533030355a51345150474b4d58304152504e222c22637573746f6d65725f6964223a22676c6f626578222c226d6f64656c223a226163636f756e74732f66697265776f726b732f6d6f64656c732f6c6c616d612d763370312d343035622d696e737472756374222c2270726f7669646572223a2266697265776f726b73222c22696e7075745f746f6b656e73223a3233343730342c226f75747075745f746f6b656e73223a312c2274696d657374616d70223a22323032362d30342d30355431303a31313a30305a222c226d65746164617461223a7b227465616d223a22737570706f7274222c2266656174757265223a2263686174227d2c22726573706f6e73655f6964223a2263686174636d706c2d30303031227d', 1, '2026-11-21 22:47:09.874822+00', '2026-11-21 22:47:09.874822+00', 0, 'q_d16c5b6045485205eaeb', 306, true, '[{"code": "conflicting_value", "field": "output_tokens", "detail": "differs from what is recorded under this request id"}]'),
	('cli', '\xc29d0f385e931049730d70d91ba48b9e14b12e83b1b84c3fa6bb769f7b508482', 'out_of_range', 'rejected', 'input_tokens', 'input_tokens: must be an integer from 0 to 1000000000000, got a negative integer', 'acme', 'req_refused', '\x7b22726571756573745f6964223a227265715f72656675736564222c22637573746f6d65725f6964223a2261636d65222c226d6f64656c223a226163636f756e74732f66697265776f726b732f6d6f64656c732f646565707365656b2d76342d70726f222c22696e7075745f746f6b656e73223a2d357d', 1, '2026-11-21 22:47:09.874822+00', '2026-11-21 22:47:09.874822+00', 0, 'q_d9c1c478c5604aae37cd', 119, true, '[{"code": "out_of_range", "field": "input_tokens", "detail": "must be an integer from 0 to 1000000000000, got a negative integer"}]'),
	('cli', '\xfa29a745fc9c60c81617584face6dde57b7fbf210a554af399cb137ef9271730', 'missing', 'rejected', 'request_id', 'request_id: is required: a string of 1 to 255 characters', 'acme', NULL, '\x7b22637573746f6d65725f6964223a2261636d65222c226d6f64656c223a226163636f756e74732f66697265776f726b732f6d6f64656c732f646565707365656b2d76342d70726f222c22696e7075745f746f6b656e73223a352c22736563726574223a22736b2d305c753230323620283233206368617261637465727329227d', 1, '2026-11-21 22:47:09.874822+00', '2026-11-21 22:47:09.874822+00', 0, 'q_c647302aa0c1daff0bcb', 126, true, '[{"code": "missing", "field": "request_id", "detail": "is required: a string of 1 to 255 characters"}]') ON CONFLICT DO NOTHING;

INSERT INTO ledger.quarantine_sender VALUES
	(0, 'cli', 3, 554, 0) ON CONFLICT DO NOTHING;

INSERT INTO ledger.rollup_hour VALUES
	(1, '2026-04-03 09:00:00+00', 21, 1, 0, 127041, 42346, 7331, 114336900000, 38111400000, 6597900000, 0, 15904620000),
	(1, '2026-04-11 13:00:00+00', 17, 1, 0, 182586, 0, 863, 547758000000, 0, 2589000000, 0, 55034700000),
	(1, '2026-04-19 11:00:00+00', 1, 1, 0, 182419, 0, 6427, 164177100000, 0, 5784300000, 0, 16996140000),
	(1, '2026-04-20 08:00:00+00', 26, 1, 0, 0, 0, 0, 0, 0, 0, 311666666667, 31166666667),
	(1, '2026-04-27 16:00:00+00', 24, 1, 0, 17431, 5810, 6612, 15687900000, 5229000000, 5950800000, 0, 2686770000),
	(1, '2026-05-05 13:00:00+00', 17, 1, 0, 27333, 0, 8283, 81999000000, 0, 24849000000, 0, 10684800000),
	(1, '2026-05-13 18:00:00+00', 14, 1, 0, 360874, 0, 7053, 54131100000, 0, 4231800000, 0, 5836290000),
	(1, '2026-05-21 16:00:00+00', 6, 1, 0, 59670, 19889, 1290, 103825800000, 34606860000, 4489200000, 0, 14292186000),
	(2, '2026-04-15 16:00:00+00', 22, 1, 0, 253308, 84435, 948, 227977200000, 75991500000, 853200000, 0, 0),
	(2, '2026-04-23 13:00:00+00', 18, 1, 0, 357128, 0, 3322, 1071384000000, 0, 9966000000, 0, 0),
	(2, '2026-05-01 11:00:00+00', 2, 1, 0, 54462, 0, 3191, 49015800000, 0, 2871900000, 0, 0),
	(2, '2026-05-09 16:00:00+00', 22, 1, 0, 71603, 23867, 4305, 64442700000, 21480300000, 3874500000, 0, 0),
	(2, '2026-05-17 14:00:00+00', 13, 1, 0, 390973, 0, 2025, 547362200000, 0, 8910000000, 0, 0),
	(2, '2026-05-21 12:00:00+00', 7, 1, 0, 4000, 0, 200, 6960000000, 0, 696000000, 0, 0),
	(2, '2026-05-25 18:00:00+00', 15, 1, 0, 153942, 0, 4426, 23091300000, 0, 2655600000, 0, 0),
	(3, '2026-04-05 10:00:00+00', 19, 1, 0, 234704, 0, 4741, 704112000000, 0, 14223000000, 0, 0),
	(3, '2026-04-13 14:00:00+00', 3, 1, 0, 336036, 0, 4653, 302432400000, 0, 4187700000, 0, 0),
	(3, '2026-04-21 08:00:00+00', 23, 1, 0, 1200, 0, 77, 1080000000, 0, 69300000, 0, 0),
	(3, '2026-04-21 12:00:00+00', 23, 1, 0, 48793, 16264, 6198, 43913700000, 14637600000, 5578200000, 0, 0),
	(3, '2026-04-29 17:00:00+00', 19, 1, 0, 181939, 0, 5484, 545817000000, 0, 16452000000, 0, 0),
	(3, '2026-05-07 15:00:00+00', 5, 1, 0, 258166, 0, 1780, 232349400000, 0, 1602000000, 0, 0),
	(3, '2026-05-15 12:00:00+00', 8, 1, 0, 215982, 71993, 1661, 375808680000, 125267820000, 5780280000, 0, 0),
	(3, '2026-05-23 17:00:00+00', 11, 1, 0, 225879, 0, 3009, 316230600000, 0, 13239600000, 0, 0),
	(4, '2026-04-17 10:00:00+00', 20, 1, 0, 348596, 0, 5353, 1045788000000, 0, 16059000000, 0, 0),
	(4, '2026-04-25 15:00:00+00', 3, 1, 0, 323434, 0, 1221, 291090600000, 0, 1098900000, 0, 0),
	(4, '2026-05-03 12:00:00+00', 23, 1, 0, 20139, 6712, 7793, 18125100000, 6040800000, 7013700000, 0, 0),
	(4, '2026-05-11 17:00:00+00', 19, 1, 0, 213592, 0, 1041, 640776000000, 0, 3123000000, 0, 0),
	(4, '2026-05-19 15:00:00+00', 16, 1, 0, 24791, 0, 6960, 3718650000, 0, 4176000000, 0, 0),
	(4, '2026-05-20 12:00:00+00', 25, 1, 1, 500, 0, 50, 0, 0, 0, 0, 0),
	(4, '2026-05-27 19:00:00+00', 10, 1, 0, 108947, 36315, 4504, 189567780000, 63188100000, 15673920000, 0, 0),
	(2, '2026-04-07 11:00:00+00', 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0),
	(4, '2026-04-09 12:00:00+00', 23, 1, 0, 277163, 92387, 400, 249446700000, 83148300000, 360000000, 0, 0) ON CONFLICT DO NOTHING;

INSERT INTO ledger.rollup_hour_unit VALUES
	(1, '2026-04-20 08:00:00+00', 26, 'input_seconds', 93500000, 311666666667) ON CONFLICT DO NOTHING;

INSERT INTO ledger.spend_limit VALUES
	(1, 'acme-total', 1000000000000, 'total', '{0.5,0.8,1}', 'alert', '2026-11-21 22:47:04.598749+00') ON CONFLICT DO NOTHING;

INSERT INTO ledger.touched_period VALUES
	(1, '2026-05-01', 8),
	(2, '2026-05-01', 8),
	(3, '2026-05-01', 8),
	(4, '2026-05-01', 8),
	(2, '2026-04-01', 9),
	(4, '2026-04-01', 9) ON CONFLICT DO NOTHING;

INSERT INTO ledger.usage_event VALUES
	('019d5292-1a80-7b00-781e-f86f5c8cc1ab', '2026-04-03 09:00:00+00', 127041, 42346, 7331, 114336900000, 38111400000, 6597900000, 0, 15904620000, 7, 1, 1, 21, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019d5d1f-d320-017f-725e-d09d3a0562d5', '2026-04-05 10:11:00+00', 234704, 0, 4741, 704112000000, 0, 14223000000, 0, 0, 7, 1, 3, 19, 98347, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x837891e446494ab34dc3f8edc90bd478619dce4c90e138f11f4e36d392657d21'),
	('019d67ad-8bc0-38f1-a28f-17d83ce44e27', '2026-04-07 11:22:00+00', 25310, 0, 5359, 22779000000, 0, 4823100000, 0, 0, 7, 1, 2, 4, 32815, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019d723b-4460-55c6-d09e-04924d52bc61', '2026-04-09 12:33:00+00', 277163, 92387, 2825, 249446700000, 83148300000, 2542500000, 0, 0, 7, 1, 4, 23, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x331a183cf1fa7cf10a3003b29fa5b69944aef0ca3fe75387112f52e63b60319d'),
	('019d7cc8-fd00-9a23-be50-6564f3a16071', '2026-04-11 13:44:00+00', 182586, 0, 863, 547758000000, 0, 2589000000, 0, 55034700000, 7, 1, 1, 17, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019d8756-b5a0-f4c9-3868-e6d9ca0bc36c', '2026-04-13 14:55:00+00', 336036, 0, 4653, 302432400000, 0, 4187700000, 0, 0, 7, 1, 3, 3, 98347, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x16e3a30e681b231dc69b3b75d1c1e3107722f10e4de733bf152941b5d85f51e1'),
	('019d91e4-6e40-2769-e4bf-156405372ef4', '2026-04-15 16:06:00+00', 253308, 84435, 948, 227977200000, 75991500000, 853200000, 0, 0, 7, 1, 2, 22, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019d9af1-a160-9943-74f0-147f76f87a64', '2026-04-17 10:17:00+00', 348596, 0, 5353, 1045788000000, 0, 16059000000, 0, 0, 7, 1, 4, 20, 32815, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019da57f-5a00-c85b-396e-0d55fc45228f', '2026-04-19 11:28:00+00', 182419, 0, 6427, 164177100000, 0, 5784300000, 0, 16996140000, 7, 1, 1, 1, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019da9e7-4800-1aa1-1db8-3d5eeb428658', '2026-04-20 08:00:00+00', 0, 0, 0, 0, 0, 0, 311666666667, 31166666667, 7, 1, 1, 26, 32835, 'usage', 1, 1, 0, NULL, '{"input_seconds": [93500000, 311666666667]}', NULL, NULL),
	('019db00d-12a0-c9ae-6b97-8d7d421bb123', '2026-04-21 12:39:00+00', 48793, 16264, 6198, 43913700000, 14637600000, 5578200000, 0, 0, 7, 1, 3, 23, 98363, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x6cb685856f8298e9251d37d6527b9a69d3aee03b213e6aa6253be87991dbd72f'),
	('019dba9a-cb40-8449-6c51-ce927e89f918', '2026-04-23 13:50:00+00', 357128, 0, 3322, 1071384000000, 0, 9966000000, 0, 0, 7, 1, 2, 18, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019dc528-83e0-4b03-9009-77a9f2c94386', '2026-04-25 15:01:00+00', 323434, 0, 1221, 291090600000, 0, 1098900000, 0, 0, 7, 1, 4, 3, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019dcfb6-3c80-1567-f950-7c8748658079', '2026-04-27 16:12:00+00', 17431, 5810, 6612, 15687900000, 5229000000, 5950800000, 0, 2686770000, 7, 1, 1, 24, 32831, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019dda43-f520-278d-7d69-33b93c1be0d0', '2026-04-29 17:23:00+00', 181939, 0, 5484, 545817000000, 0, 16452000000, 0, 0, 7, 1, 3, 19, 98347, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x3655846bec57c98d61d723a9eac5e18e2e3dc44f7983977e3e68053844d89ba8'),
	('019d67ad-8bc0-38f1-a28f-17d83ce44e27', '2026-04-07 11:22:00+00', -25310, 0, -5359, -22779000000, 0, -4823100000, 0, 0, 9, 1, 2, 4, 32815, 'reversal', 2, -1, 0, NULL, NULL, NULL, NULL),
	('019d723b-4460-55c6-d09e-04924d52bc61', '2026-04-09 12:33:00+00', -277163, -92387, -2825, -249446700000, -83148300000, -2542500000, 0, 0, 10, 1, 4, 23, 32827, 'reversal', 2, -1, 0, NULL, NULL, NULL, NULL),
	('019d723b-4460-55c6-d09e-04924d52bc61', '2026-04-09 12:33:00+00', 277163, 92387, 400, 249446700000, 83148300000, 360000000, 0, 0, 10, 1, 4, 23, 32827, 'replacement', 3, 1, 0, NULL, NULL, NULL, NULL) ON CONFLICT DO NOTHING;

INSERT INTO ledger.usage_event VALUES
	('019de351-2840-741e-75fc-623151001bc3', '2026-05-01 11:34:00+00', 54462, 0, 3191, 49015800000, 0, 2871900000, 0, 0, 7, 1, 2, 2, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019dedde-e0e0-ba56-7b74-fcfab3045b38', '2026-05-03 12:45:00+00', 20139, 6712, 7793, 18125100000, 6040800000, 7013700000, 0, 0, 7, 1, 4, 23, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x6a756eaece33318b955f672300b707356a66ec7a107888aad4cc2d647a5b5d8f'),
	('019df86c-9980-7dd5-dd42-40c6d7a962c6', '2026-05-05 13:56:00+00', 27333, 0, 8283, 81999000000, 0, 24849000000, 0, 10684800000, 7, 1, 1, 17, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e02fa-5220-1f78-cbb5-811fb2f1a709', '2026-05-07 15:07:00+00', 258166, 0, 1780, 232349400000, 0, 1602000000, 0, 0, 7, 1, 3, 5, 98351, 'usage', 1, 1, 0, NULL, NULL, NULL, '\xc0fe60981140510671b3765a878842cb053641eb3d7fbbf85fb6719e9786270a'),
	('019e0d88-0ac0-05d3-a782-cf767fcdb1c2', '2026-05-09 16:18:00+00', 71603, 23867, 4305, 64442700000, 21480300000, 3874500000, 0, 0, 7, 1, 2, 22, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e1815-c360-e592-67fd-cf97eb6617ca', '2026-05-11 17:29:00+00', 213592, 0, 1041, 640776000000, 0, 3123000000, 0, 0, 7, 1, 4, 19, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e22a3-7c00-a8cc-0b01-f9a48a0a4abb', '2026-05-13 18:40:00+00', 360874, 0, 7053, 54131100000, 0, 4231800000, 0, 5836290000, 7, 1, 1, 14, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e2bb0-af20-7a3b-51c2-87fd9a9390de', '2026-05-15 12:51:00+00', 215982, 71993, 1661, 375808680000, 125267820000, 5780280000, 0, 0, 7, 1, 3, 8, 98363, 'usage', 1, 1, 0, NULL, NULL, NULL, '\xea5514e397f0ac6da744589139427bcdf2c0c41a60d0589f5588e044f28cf55f'),
	('019e363e-67c0-19d4-51ea-0edc3a51d302', '2026-05-17 14:02:00+00', 390973, 0, 2025, 547362200000, 0, 8910000000, 0, 0, 7, 1, 2, 13, 32815, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e40cc-2060-3e3d-1f1b-98cf8aafa682', '2026-05-19 15:13:00+00', 24791, 0, 6960, 3718650000, 0, 4176000000, 0, 0, 7, 1, 4, 16, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e4541-ca00-4481-25b1-5c8ba41237b9', '2026-05-20 12:00:00+00', 500, 0, 50, NULL, NULL, NULL, NULL, NULL, 7, 1, 4, 25, 32811, 'usage', 1, 1, 1, NULL, NULL, NULL, NULL),
	('019e4a68-2600-09e0-6830-a24c6369b758', '2026-05-21 12:00:00+00', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 1, 2, 9, 32771, 'pending', 0, 0, 0, NULL, NULL, NULL, NULL),
	('019e4a68-2600-09e0-6830-a24c6369b758', '2026-05-21 12:00:00+00', 4000, 0, 200, 6960000000, 0, 696000000, 0, 0, 7, 1, 2, 7, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e4b59-d900-eb33-0bed-b95ca0261403', '2026-05-21 16:24:00+00', 59670, 19889, 1290, 103825800000, 34606860000, 4489200000, 0, 14292186000, 7, 1, 1, 6, 32827, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e4f8e-8200-e234-76e6-a5c567ad1c09', '2026-05-22 12:00:00+00', 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 7, 1, 2, 12, 32771, 'error', 0, 0, 0, NULL, NULL, NULL, NULL),
	('019e55e7-91a0-c3f0-d8c5-6b56f0c9a819', '2026-05-23 17:35:00+00', 225879, 0, 3009, 316230600000, 0, 13239600000, 0, 0, 7, 1, 3, 11, 98347, 'usage', 1, 1, 0, NULL, NULL, NULL, '\xbda82c2c0b1189ef9ac2c73b9ba148c56d9d08ac796b9bfec7284a7c57cbb2af'),
	('019e6075-4a40-b184-a36b-094ee655ab21', '2026-05-25 18:46:00+00', 153942, 0, 4426, 23091300000, 0, 2655600000, 0, 0, 7, 1, 2, 15, 32811, 'usage', 1, 1, 0, NULL, NULL, NULL, NULL),
	('019e6b03-02e0-02da-9505-41192d9b06df', '2026-05-27 19:57:00+00', 108947, 36315, 4504, 189567780000, 63188100000, 15673920000, 0, 0, 7, 1, 4, 10, 32831, 'usage', 1, 1, 0, NULL, NULL, NULL, '\x8625411110e07387bcee23c71ec146ff984a57d070fa325db43aea0a12a6f994') ON CONFLICT DO NOTHING;

INSERT INTO ledger.usage_event VALUES
	('989438bd-4359-50fd-b1b7-3a3d0bd79a2e', '2026-04-21 08:00:00+00', 1200, 0, 77, 1080000000, 0, 69300000, 0, 0, 7, 1, 3, 23, 32811, 'usage', 1, 1, 0, 'job-4711/α', NULL, NULL, NULL) ON CONFLICT DO NOTHING;

SELECT pg_catalog.setval('ledger.customer_customer_seq', 5, true);

SELECT pg_catalog.setval('ledger.dimension_dimension_seq', 26, true);

