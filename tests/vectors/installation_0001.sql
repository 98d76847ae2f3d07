-- What a data folder of schema 0001 holds, as the first builds wrote it; its key file has the bytes 0 to 31.
-- One account with a root key and a user, who has a key and a device: enabled on 2026-11-22 at 09:00:10 UTC, used on the 24th at
-- 08:00:10, a code was mistyped at 08:00:20.  The secret keys are those of AWS's examples.

INSERT INTO meta (name, value) VALUES (
  'vault_check', X'01a7f5804efd88f90e3f05c677d94b0f943fd22b7b8397dc01c10d192e68316fdaafab'
);
INSERT INTO accounts (account_id, alias, created_at, revision) VALUES (
  '123456789012', 'example', 1795338010000, 2
);
INSERT INTO root_users (account_id, email, email_key, password_hash, created_at, password_last_used) VALUES (
  '123456789012',
  'Root@example.com',
  'root@example.com',
  '$argon2id$v=19$m=65536,t=3,p=4$SiUnR/5nETEuDOmfQ3sHRA$P5bFLoptf9GH6L3pvHDD9ONEGaKzqpjuXb9SzhreqsM',
  1795338010000,
  NULL
);
INSERT INTO users (account_id, user_id, user_name, name_key, path, created_at, tags, password_last_used, revision) VALUES (
  '123456789012', 'AIDAYUMZIRCD2T5PMVFNB', 'Richard', 'richard', '/staff/', 1795338010000, '{"team":"blue"}', NULL, 1
);
INSERT INTO access_keys (account_id, access_key_id, holder_id, sealed_secret, status, created_at, last_used_at, last_used_service, last_used_region, revision) VALUES (
  '123456789012',
  'AKIAIOSFODNN7EXAMPLE',
  '123456789012',
  X'01b61fbc6356a932bacf6fbf20f97918c3aa4f3c35ee66f934260c4fa4715fe9702b399a84b1ca83523d903e92e79a8b8f6b74c765f1751607320a313a3574e58b0c2399f3',
  'Active',
  1795338010000,
  NULL,
  NULL,
  NULL,
  0
);
INSERT INTO access_keys (account_id, access_key_id, holder_id, sealed_secret, status, created_at, last_used_at, last_used_service, last_used_region, revision) VALUES (
  '123456789012',
  'AKIAI44QH8DHBEXAMPLE',
  'AIDAYUMZIRCD2T5PMVFNB',
  X'01475095406136d940bf0e25eab8e4418d26e0d6daa7146855dd57935816c47ae5a3ca1d38bf2120246dbd95b7abb04c7bba95736bcfe3af430d327ed263c98e4e97f05d1a',
  'Active',
  1795338010000,
  NULL,
  NULL,
  NULL,
  0
);
INSERT INTO mfa_devices (account_id, token_id, serial_number, serial_key, kind, sealed_token, seed_fingerprint, created_at, holder_id, enabled_at, tags, drift_ms, rate_ppb, drift_at, restarted_at, confirmed, newest_accepted_step, floor, last_seen, code_misses, next_code_at, receipt_by, receipt_at, receipt_step, revision) VALUES (
  '123456789012',
  'TOTPZ77WQG3G2ITVRU6H',
  'arn:aws:iam::123456789012:mfa/RichardsPhone',
  'arn:aws:iam::123456789012:mfa/richardsphone',
  'virtual',
  X'014d725f2b4a35f77fa2af3ce6c3e5f996d98222e6a41010c057773554e52dcdd98b402d10761a2948e4b4f5c69a8a585f8525f79c1f28caf33f7f62779705bf82403461a5e45e0d',
  'edfc0263fa99cbed7945d2021370e1c23e1059a1525253f33decc06b8f725ae0',
  1795338010000,
  'AIDAYUMZIRCD2T5PMVFNB',
  1795338010000,
  '{}',
  5000,
  0,
  1795507210000,
  1795507210000,
  1,
  59850240,
  -1,
  1795507210000,
  1,
  NULL,
  NULL,
  NULL,
  NULL,
  4
);
INSERT INTO sightings (account_id, token_id, step, at, source) VALUES (
  '123456789012', 'TOTPZ77WQG3G2ITVRU6H', 59844600, 1795338010000, 'enable'
);
INSERT INTO sightings (account_id, token_id, step, at, source) VALUES (
  '123456789012', 'TOTPZ77WQG3G2ITVRU6H', 59850240, 1795507210000, 'sts'
);
INSERT INTO spent_steps (account_id, token_id, step, arrived_at) VALUES (
  '123456789012', 'TOTPZ77WQG3G2ITVRU6H', 59844599, 1795338010000
);
INSERT INTO spent_steps (account_id, token_id, step, arrived_at) VALUES (
  '123456789012', 'TOTPZ77WQG3G2ITVRU6H', 59844600, 1795338010000
);
INSERT INTO spent_steps (account_id, token_id, step, arrived_at) VALUES (
  '123456789012', 'TOTPZ77WQG3G2ITVRU6H', 59850240, 1795507210000
);
INSERT INTO audit_events (account_id, event_id, at, event) VALUES (
  '123456789012', 'dde27895-1e33-4f3a-90e3-7cfdf2f29ce9', 1795338010000, '{"eventVersion":"1.11","userIdentity":{"type":"Root","principalId":"123456789012","arn":"arn:aws:iam::123456789012:root","accountId":"123456789012","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"eventTime":"2026-11-22T09:00:10Z","eventSource":"iam.amazonaws.com","eventName":"EnableMFADevice","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"tests","requestParameters":{"userName":"Richard","serialNumber":"arn:aws:iam::123456789012:mfa/RichardsPhone"},"responseElements":null,"requestID":"request-000003","eventID":"dde27895-1e33-4f3a-90e3-7cfdf2f29ce9","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","additionalEventData":{"driftSeconds":5}}'
);
INSERT INTO audit_events (account_id, event_id, at, event) VALUES (
  '123456789012', '09335b4b-b487-42f2-bd00-6b946a1bf806', 1795507220000, '{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDAYUMZIRCD2T5PMVFNB","arn":"arn:aws:iam::123456789012:user/staff/Richard","accountId":"123456789012","accessKeyId":"AKIAI44QH8DHBEXAMPLE","userName":"Richard"},"eventTime":"2026-11-24T08:00:20Z","eventSource":"sts.amazonaws.com","eventName":"GetSessionToken","awsRegion":"us-east-1","sourceIPAddress":"192.0.2.7","userAgent":"tests","requestParameters":{"serialNumber":"arn:aws:iam::123456789012:mfa/RichardsPhone"},"responseElements":null,"requestID":"request-000005","eventID":"09335b4b-b487-42f2-bd00-6b946a1bf806","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"123456789012","eventCategory":"Management","errorCode":"AccessDenied","errorMessage":"MultiFactorAuthentication failed with invalid MFA one time pass code. ","additionalEventData":{"reason":"no-match"}}'
);
