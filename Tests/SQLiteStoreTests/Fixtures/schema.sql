CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome = 'accepted' OR outcome = 'deferred' OR outcome = 'rejected' OR outcome = 'ambiguous'),
    stage TEXT NOT NULL,
    reply_code INTEGER,
    enhanced_status TEXT,
    text TEXT NOT NULL CHECK (text <> ''),
    remote_mta TEXT,
    tls TEXT,
    transcript TEXT NOT NULL
) STRICT;

CREATE INDEX attempt_outbox ON attempt (outbox_id);

CREATE TRIGGER audit_keeps BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;

CREATE TABLE audit (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    at INTEGER NOT NULL,
    person TEXT NOT NULL,
    command TEXT NOT NULL CHECK (command <> ''),
    -- Why it was not done, or not all of it.
    failure TEXT
) STRICT;

CREATE TABLE contact (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    address TEXT NOT NULL CHECK (address <> ''),
    address_key TEXT NOT NULL CHECK (instr(address_key, '@') > 1),
    address_domain TEXT NOT NULL CHECK (address_domain <> ''),
    display_name TEXT,
    fields TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(fields)),
    time_zone TEXT,
    created_at INTEGER NOT NULL
, erased_at INTEGER, consent_source TEXT CHECK (consent_source <> ''), consent_at INTEGER) STRICT;

CREATE UNIQUE INDEX contact_address ON contact (workspace_id, address_key);

CREATE INDEX contact_domain ON contact (workspace_id, address_domain);

CREATE INDEX contact_workspace ON contact (workspace_id);

CREATE TABLE contact_group (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    kind TEXT NOT NULL CHECK (kind IN ('tag', 'list')),
    -- As it was first written.
    name TEXT NOT NULL CHECK (name <> ''),
    name_key TEXT NOT NULL CHECK (name_key = lower(name)),
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX contact_group_name ON contact_group (workspace_id, kind, name_key);

CREATE TABLE contact_group_member (
    group_id INTEGER NOT NULL REFERENCES contact_group (id) ON DELETE CASCADE,
    contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    -- What brought it in and can take it back; NULL: a person or a sequence did.
    import_id INTEGER REFERENCES contact_import (id),
    PRIMARY KEY (group_id, contact_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_group_member_contact ON contact_group_member (contact_id);

CREATE TABLE contact_import (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    file TEXT NOT NULL,
    person TEXT NOT NULL,
    at INTEGER NOT NULL,
    finished_at INTEGER,
    undone_at INTEGER,
    rows INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL DEFAULT 0,
    updated INTEGER NOT NULL DEFAULT 0,
    suppressed INTEGER NOT NULL DEFAULT 0,
    refused INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX contact_import_workspace ON contact_import (workspace_id);

CREATE TABLE contact_import_row (
    import_id INTEGER NOT NULL REFERENCES contact_import (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    line INTEGER NOT NULL CHECK (line > 0),
    -- What it replaced, as {"name": [before, after], ...}; NULL: it made the contact.
    changes TEXT CHECK (changes IS NULL OR json_valid(changes)),
    PRIMARY KEY (import_id, contact_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX contact_import_row_contact ON contact_import_row (contact_id);

CREATE TRIGGER enrollment_begins_counting AFTER INSERT ON enrollment
BEGIN
    INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
    VALUES (NEW.workspace_id, NEW.sequence_id, NEW.state, COALESCE(NEW.cause, ''), 1)
    ON CONFLICT (workspace_id, sequence_id, state, cause) DO UPDATE SET enrollments = enrollments + excluded.enrollments;
END;

CREATE TRIGGER enrollment_counts_otherwise AFTER UPDATE OF workspace_id, sequence_id, state, cause ON enrollment
    WHEN NEW.state <> OLD.state OR NEW.cause IS NOT OLD.cause OR NEW.sequence_id <> OLD.sequence_id
        OR NEW.workspace_id <> OLD.workspace_id
BEGIN
    INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
    VALUES (OLD.workspace_id, OLD.sequence_id, OLD.state, COALESCE(OLD.cause, ''), -1)
    ON CONFLICT (workspace_id, sequence_id, state, cause) DO UPDATE SET enrollments = enrollments + excluded.enrollments;
    INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
    VALUES (NEW.workspace_id, NEW.sequence_id, NEW.state, COALESCE(NEW.cause, ''), 1)
    ON CONFLICT (workspace_id, sequence_id, state, cause) DO UPDATE SET enrollments = enrollments + excluded.enrollments;
END;

CREATE TRIGGER enrollment_ends_counting AFTER DELETE ON enrollment
BEGIN
    INSERT INTO rollup_state (workspace_id, sequence_id, state, cause, enrollments)
    VALUES (OLD.workspace_id, OLD.sequence_id, OLD.state, COALESCE(OLD.cause, ''), -1)
    ON CONFLICT (workspace_id, sequence_id, state, cause) DO UPDATE SET enrollments = enrollments + excluded.enrollments;
END;

CREATE TABLE enrollment (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    sequence_id INTEGER NOT NULL REFERENCES sequence (id),
    version_id INTEGER NOT NULL REFERENCES sequence_version (id),
    identity TEXT NOT NULL CHECK (identity <> ''),
    state TEXT NOT NULL CHECK (state = 'active' OR state = 'sending' OR state = 'held' OR state = 'needs_data' OR state = 'paused' OR state = 'finished' OR state = 'stopped'),
    cause TEXT CHECK (cause = 'replied' OR cause = 'unsubscribed' OR cause = 'bounced' OR cause = 'complained' OR cause = 'suppressed' OR cause = 'undeliverable' OR cause = 'out_of_office' OR cause = 'missing_value' OR cause = 'uncertain_delivery' OR cause = 'person' OR cause = 'completed' OR cause = 'company'),
    reason TEXT NOT NULL,
    next_step INTEGER NOT NULL CHECK (next_step >= 0),
    due_at INTEGER,
    held_by TEXT,
    version INTEGER NOT NULL CHECK (version >= 0),
    created_at INTEGER NOT NULL,
    lease_owner TEXT CHECK (lease_owner <> ''),
    lease_until INTEGER, done_at INTEGER,
    CHECK ((due_at IS NOT NULL) = (state IN ('active', 'held'))),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (lease_owner IS NULL OR due_at IS NOT NULL)
) STRICT;

CREATE INDEX enrollment_contact ON enrollment (contact_id);

CREATE INDEX enrollment_due ON enrollment (due_at) WHERE due_at IS NOT NULL;

CREATE INDEX enrollment_lease ON enrollment (lease_owner) WHERE lease_owner IS NOT NULL;

CREATE UNIQUE INDEX enrollment_running ON enrollment (contact_id, sequence_id) WHERE state NOT IN ('finished', 'stopped');

CREATE INDEX enrollment_sequence ON enrollment (sequence_id);

CREATE TRIGGER further_address_is_free BEFORE INSERT ON further_address
    WHEN EXISTS (SELECT 1 FROM contact WHERE workspace_id = NEW.workspace_id AND address_key = NEW.address_key)
BEGIN SELECT RAISE(ABORT, 'the address is that of a contact'); END;

CREATE TABLE further_address (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
    address TEXT NOT NULL CHECK (address <> ''),
    address_key TEXT NOT NULL CHECK (instr(address_key, '@') > 1),
    added_at INTEGER NOT NULL
, channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email')) STRICT;

CREATE INDEX further_address_contact ON further_address (contact_id);

CREATE UNIQUE INDEX further_address_key ON further_address (address_key, workspace_id);

CREATE TABLE guardrail_finding (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    rule TEXT NOT NULL CHECK (rule <> ''),
    origin TEXT NOT NULL CHECK (origin <> ''),
    kind TEXT NOT NULL CHECK (kind = 'identity' OR kind = 'sequence' OR kind = 'instance'),
    name TEXT NOT NULL CHECK (name <> ''),
    metric TEXT NOT NULL CHECK (metric = 'delivery' OR metric = 'bounce' OR metric = 'reply' OR metric = 'positive' OR metric = 'unsubscribe' OR metric = 'complaint'),
    comparison TEXT NOT NULL CHECK (comparison IN ('above', 'below')),
    threshold REAL NOT NULL,
    minimum_sends INTEGER NOT NULL,
    days INTEGER NOT NULL CHECK (days > 0),
    action TEXT NOT NULL CHECK (action IN ('pause', 'alert')),
    count INTEGER NOT NULL,
    sample INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict = 'within' OR verdict = 'too_few' OR verdict = 'violated' OR verdict = 'overridden')
, workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence')) STRICT;

CREATE INDEX guardrail_finding_at ON guardrail_finding (at);

CREATE INDEX guardrail_finding_subject ON guardrail_finding (rule, kind, name, workspace_id, id);

CREATE TRIGGER guardrail_override_keeps BEFORE DELETE ON guardrail_override
BEGIN SELECT RAISE(ABORT, 'what a person said is kept'); END;

CREATE TRIGGER guardrail_override_stays BEFORE UPDATE ON guardrail_override
BEGIN SELECT RAISE(ABORT, 'what a person said is kept'); END;

CREATE TABLE guardrail_override (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind = 'identity' OR kind = 'sequence' OR kind = 'instance'),
    name TEXT NOT NULL CHECK (name <> ''),
    reason TEXT NOT NULL CHECK (reason <> ''),
    at INTEGER NOT NULL,
    until INTEGER CHECK (until > at),
    -- What had been counted of its day by then, as {"accepted": 12, ...}.
    counted TEXT NOT NULL CHECK (json_valid(counted))
, workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence')) STRICT;

CREATE INDEX guardrail_override_subject ON guardrail_override (kind, name, id);

CREATE TRIGGER installation_seed_stays BEFORE UPDATE OF seed ON installation
BEGIN SELECT RAISE(ABORT, 'the installation seed never changes'); END;

CREATE TRIGGER installation_stays BEFORE DELETE ON installation
BEGIN SELECT RAISE(ABORT, 'the installation row is never deleted'); END;

CREATE TABLE installation (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seed BLOB NOT NULL CHECK (length(seed) = 32),
    stop_reason TEXT,
    stopped_at INTEGER,
    CHECK ((stop_reason IS NULL) = (stopped_at IS NULL))
) STRICT;

CREATE TABLE intake (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    way TEXT NOT NULL CHECK (way = 'smtp' OR way = 'lmtp' OR way = 'imap' OR way = 'file'),
    received_at INTEGER NOT NULL,
    reverse_path TEXT,
    forward_paths TEXT NOT NULL CHECK (json_valid(forward_paths)),
    origin TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state = 'received' OR state = 'sorted' OR state = 'duplicate' OR state = 'quarantined'),
    state_reason TEXT,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    lease_owner TEXT CHECK (lease_owner <> ''),
    lease_until INTEGER,
    account TEXT,
    folder TEXT,
    uid_validity INTEGER CHECK (uid_validity BETWEEN 1 AND 4294967295),
    uid INTEGER CHECK (uid BETWEEN 1 AND 4294967295), digest BLOB CHECK (digest IS NULL OR length(digest) = 32), client_address TEXT CHECK (client_address <> ''), client_name TEXT CHECK ((client_name IS NULL) = (client_address IS NULL)),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (lease_owner IS NULL OR state = 'received'),
    CHECK ((account IS NULL) = (folder IS NULL) AND (account IS NULL) = (uid_validity IS NULL) AND (account IS NULL) = (uid IS NULL))
) STRICT;

CREATE INDEX intake_digest ON intake (account, digest) WHERE digest IS NOT NULL;

CREATE UNIQUE INDEX intake_mailbox ON intake (account, folder, uid_validity, uid) WHERE account IS NOT NULL;

CREATE INDEX intake_state ON intake (state);

CREATE TRIGGER intake_body_stays BEFORE UPDATE ON intake_body
BEGIN SELECT RAISE(ABORT, 'the bytes of a message never change'); END;

CREATE TABLE intake_body (
    intake_id INTEGER PRIMARY KEY REFERENCES intake (id),
    bytes BLOB NOT NULL
) STRICT;

CREATE TRIGGER link_target_stays BEFORE UPDATE ON link_target
BEGIN SELECT RAISE(ABORT, 'a link leads where it led'); END;

CREATE TABLE link_target (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    contact_id INTEGER REFERENCES contact (id) ON DELETE CASCADE,
    url TEXT NOT NULL CHECK (url GLOB '[hH][tT][tT][pP]*://?*')
) STRICT;

CREATE INDEX link_target_contact ON link_target (contact_id) WHERE contact_id IS NOT NULL;

CREATE TABLE login_refusal (
    account TEXT PRIMARY KEY CHECK (account <> ''),
    login TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count > 0),
    reason TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE mail_domain (
    -- A-labels in lower case.
    domain TEXT PRIMARY KEY CHECK (domain <> '' AND domain = lower(domain)),
    -- Why it takes none, for a person; NULL: it does.
    refusal TEXT CHECK (refusal <> ''),
    asked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > asked_at)
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_domain_end ON mail_domain (expires_at);

CREATE TRIGGER outbox_budget_returns AFTER UPDATE OF state ON outbox
    WHEN OLD.state = 'active' AND NEW.state <> 'active' AND OLD.final_dot_at IS NULL AND OLD.taken IS NOT NULL
BEGIN
    UPDATE sending_level
    SET level = MAX(0, level - (
        SELECT json_extract(given.value, '$[1]') FROM json_each(OLD.taken) AS given
        WHERE json_extract(given.value, '$[0]') = sending_level.id))
    WHERE id IN (SELECT json_extract(given.value, '$[0]') FROM json_each(OLD.taken) AS given);
END;

CREATE TRIGGER outbox_claim_rises BEFORE UPDATE OF claim ON outbox WHEN NEW.claim < OLD.claim
BEGIN SELECT RAISE(ABORT, 'the number of a claim never goes down'); END;

CREATE TRIGGER outbox_dot_once BEFORE UPDATE OF final_dot_at ON outbox
    WHEN OLD.final_dot_at IS NOT NULL AND NEW.final_dot_at IS NOT NULL AND NEW.final_dot_at <> OLD.final_dot_at
BEGIN SELECT RAISE(ABORT, 'the final dot is announced once for an attempt'); END;

CREATE TRIGGER outbox_end_stays BEFORE UPDATE OF state ON outbox
    WHEN NEW.state <> OLD.state
        AND (OLD.state = 'sent' OR OLD.state = 'bounced' OR OLD.state = 'expired' OR OLD.state = 'cancelled')
BEGIN SELECT RAISE(ABORT, 'a final state never changes'); END;

CREATE TRIGGER outbox_facts_stay BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, step, occurrence, identity,
    reverse_path, recipient, recipient_key, recipient_domain, message_id, subject, created_at, budget_day, variant, version_id
    ON outbox
BEGIN SELECT RAISE(ABORT, 'what a queued message is never changes'); END;

CREATE TRIGGER outbox_provider_stays BEFORE UPDATE OF provider ON outbox
    WHEN OLD.provider IS NOT NULL AND NEW.provider IS NOT OLD.provider
BEGIN SELECT RAISE(ABORT, 'the provider of a message never changes'); END;

CREATE TRIGGER outbox_route_waits BEFORE UPDATE OF route ON outbox
    WHEN NEW.route <> OLD.route AND (OLD.state NOT IN ('incoming', 'deferred') OR OLD.final_dot_at IS NOT NULL)
BEGIN SELECT RAISE(ABORT, 'only a message that waits changes its route'); END;

CREATE TRIGGER outbox_step_is_free BEFORE INSERT ON outbox
    WHEN NEW.state <> 'cancelled' AND EXISTS (
        SELECT 1 FROM outbox WHERE enrollment_id = NEW.enrollment_id AND step = NEW.step AND state <> 'cancelled')
BEGIN SELECT RAISE(ABORT, 'the step has a message that was not cancelled'); END;

CREATE TABLE outbox (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    enrollment_id INTEGER REFERENCES enrollment (id),
    contact_id INTEGER REFERENCES contact (id),
    step INTEGER NOT NULL CHECK (step >= 0),
    occurrence INTEGER NOT NULL CHECK (occurrence >= 0),
    identity TEXT NOT NULL CHECK (identity <> ''),
    route TEXT NOT NULL CHECK (route <> ''),
    reverse_path TEXT NOT NULL,
    recipient TEXT NOT NULL CHECK (recipient <> ''),
    recipient_key TEXT NOT NULL CHECK (instr(recipient_key, '@') > 1),
    recipient_domain TEXT NOT NULL CHECK (recipient_domain <> ''),
    message_id TEXT NOT NULL CHECK (message_id <> ''),
    subject TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    budget_day INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'incoming' OR state = 'active' OR state = 'deferred' OR state = 'hold' OR state = 'sent' OR state = 'bounced' OR state = 'expired' OR state = 'cancelled'),
    reason TEXT NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    next_attempt_at INTEGER,
    final_dot_at INTEGER,
    lease_owner TEXT CHECK (lease_owner <> ''),
    lease_until INTEGER, claim INTEGER NOT NULL DEFAULT 0, released_at INTEGER, awaits TEXT CHECK (awaits <> ''), taken TEXT CHECK (taken IS NULL OR json_valid(taken)), first_route TEXT CHECK (first_route <> ''), provider_id TEXT CHECK (provider_id <> ''), sent_message_id TEXT CHECK (sent_message_id <> ''), variant TEXT CHECK (variant <> ''), provider TEXT CHECK (provider <> ''), channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email'), version_id INTEGER REFERENCES sequence_version (id),
    CHECK ((next_attempt_at IS NOT NULL) = (state = 'incoming' OR state = 'active' OR state = 'deferred')),
    CHECK ((lease_owner IS NOT NULL) = (state = 'active')),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (state <> 'sent' OR final_dot_at IS NOT NULL),
    CHECK (state NOT IN ('incoming', 'deferred') OR final_dot_at IS NULL)
) STRICT;

CREATE INDEX outbox_awaits ON outbox (awaits, next_attempt_at)
    WHERE awaits IS NOT NULL AND state IN ('incoming', 'deferred');

CREATE INDEX outbox_budget ON outbox (identity, budget_day);

CREATE INDEX outbox_company ON outbox (workspace_id, recipient_domain, created_at) WHERE enrollment_id IS NOT NULL;

CREATE INDEX outbox_contact ON outbox (contact_id) WHERE contact_id IS NOT NULL;

CREATE INDEX outbox_identity ON outbox (identity, created_at);

CREATE UNIQUE INDEX outbox_message_id ON outbox (message_id);

CREATE INDEX outbox_provider_id ON outbox (provider_id) WHERE provider_id IS NOT NULL;

CREATE INDEX outbox_recipient ON outbox (recipient_key);

CREATE INDEX outbox_route_due ON outbox (route, next_attempt_at) WHERE state IN ('incoming', 'deferred');

CREATE INDEX outbox_state ON outbox (state);

CREATE UNIQUE INDEX outbox_step ON outbox (enrollment_id, step, occurrence) WHERE enrollment_id IS NOT NULL;

CREATE INDEX outbox_waiting_age ON outbox (COALESCE(released_at, created_at))
    WHERE state IN ('incoming', 'deferred') AND final_dot_at IS NULL;

CREATE INDEX outbox_waiting_domain ON outbox (recipient_domain) WHERE final_dot_at IS NULL;

CREATE TRIGGER outbox_body_stays BEFORE UPDATE ON outbox_body
BEGIN SELECT RAISE(ABORT, 'the bytes of a message never change'); END;

CREATE TABLE outbox_body (
    outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
    bytes BLOB NOT NULL
) STRICT;

CREATE TRIGGER packed_message_stays BEFORE UPDATE ON packed_message
BEGIN SELECT RAISE(ABORT, 'the bytes of a message never change'); END;

CREATE TABLE packed_message (
    outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
    -- Raw deflate of the bytes, and how many they are.
    body BLOB NOT NULL,
    body_size INTEGER NOT NULL CHECK (body_size >= 0),
    -- Raw deflate of {"attempt": "dialogue", ...}.
    transcripts BLOB NOT NULL,
    transcripts_size INTEGER NOT NULL CHECK (transcripts_size >= 0)
) STRICT;

CREATE TABLE reply (
    intake_id INTEGER PRIMARY KEY REFERENCES intake (id),
    sorted_at INTEGER NOT NULL,
    enrollment_id INTEGER REFERENCES enrollment (id),
    contact_id INTEGER REFERENCES contact (id),
    outbox_id INTEGER REFERENCES outbox (id),
    certainty TEXT CHECK (certainty = 'low' OR certainty = 'medium' OR certainty = 'high'),
    proofs TEXT NOT NULL CHECK (json_valid(proofs)),
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    message_id BLOB,
    body_hash TEXT NOT NULL,
    duplicate_of INTEGER REFERENCES intake (id) CHECK (duplicate_of <> intake_id),
    class TEXT NOT NULL CHECK (class = 'positive' OR class = 'question' OR class = 'negative' OR class = 'not_now' OR class = 'referral' OR class = 'unsubscribe' OR class = 'out_of_office' OR class = 'left_company' OR class = 'auto_acknowledgement' OR class = 'challenge' OR class = 'neutral' OR class = 'bounce' OR class = 'delay' OR class = 'complaint'),
    intent TEXT,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0 AND 1),
    evidence TEXT NOT NULL CHECK (json_valid(evidence)),
    text TEXT NOT NULL,
    return_day INTEGER,
    bounces TEXT NOT NULL CHECK (json_valid(bounces)),
    label TEXT CHECK (label = 'positive' OR label = 'question' OR label = 'negative' OR label = 'not_now' OR label = 'referral' OR label = 'unsubscribe' OR label = 'out_of_office' OR label = 'left_company' OR label = 'auto_acknowledgement' OR label = 'challenge' OR label = 'neutral' OR label = 'bounce' OR label = 'delay' OR label = 'complaint'),
    requires_response INTEGER NOT NULL CHECK (requires_response IN (0, 1)),
    authentication TEXT NOT NULL
, effective_class TEXT CHECK (effective_class = 'positive' OR effective_class = 'question' OR effective_class = 'negative' OR effective_class = 'not_now' OR effective_class = 'referral' OR effective_class = 'unsubscribe' OR effective_class = 'out_of_office' OR effective_class = 'left_company' OR effective_class = 'auto_acknowledgement' OR effective_class = 'challenge' OR effective_class = 'neutral' OR effective_class = 'bounce' OR effective_class = 'delay' OR effective_class = 'complaint'), domain_proof TEXT
    CHECK (domain_proof = 'pass' OR domain_proof = 'fail' OR domain_proof = 'none' OR domain_proof = 'temperror' OR domain_proof = 'permerror'), is_own INTEGER NOT NULL DEFAULT 0 CHECK (is_own IN (0, 1))) STRICT;

CREATE INDEX reply_contact ON reply (contact_id) WHERE contact_id IS NOT NULL;

CREATE INDEX reply_message ON reply (message_id, body_hash) WHERE message_id IS NOT NULL;

CREATE INDEX reply_signal ON reply (effective_class, sorted_at) WHERE outbox_id IS NOT NULL;

CREATE INDEX reply_waiting ON reply (intake_id) WHERE requires_response = 1 AND is_own = 0;

CREATE TABLE rollup_contact_hour (
    contact_id INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    queued INTEGER NOT NULL, accepted INTEGER NOT NULL, deferred INTEGER NOT NULL, refused INTEGER NOT NULL,
    bounced_hard INTEGER NOT NULL, bounced_soft INTEGER NOT NULL, expired INTEGER NOT NULL, cancelled INTEGER NOT NULL,
    contacted INTEGER NOT NULL, replied INTEGER NOT NULL, positive INTEGER NOT NULL, question INTEGER NOT NULL,
    negative INTEGER NOT NULL, not_now INTEGER NOT NULL, referral INTEGER NOT NULL, neutral INTEGER NOT NULL,
    out_of_office INTEGER NOT NULL, unsubscribed INTEGER NOT NULL, complained INTEGER NOT NULL, opened INTEGER NOT NULL DEFAULT 0, clicked INTEGER NOT NULL DEFAULT 0, machine_opened INTEGER NOT NULL DEFAULT 0, machine_clicked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (contact_id, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_day (
    workspace_id INTEGER NOT NULL,
    sequence_id INTEGER NOT NULL,
    dimension TEXT NOT NULL CHECK (dimension = 'all' OR dimension = 'step' OR dimension = 'variant' OR dimension = 'identity' OR dimension = 'provider'),
    day INTEGER NOT NULL,
    value TEXT NOT NULL,
    queued INTEGER NOT NULL, accepted INTEGER NOT NULL, deferred INTEGER NOT NULL, refused INTEGER NOT NULL,
    bounced_hard INTEGER NOT NULL, bounced_soft INTEGER NOT NULL, expired INTEGER NOT NULL, cancelled INTEGER NOT NULL,
    contacted INTEGER NOT NULL, replied INTEGER NOT NULL, positive INTEGER NOT NULL, question INTEGER NOT NULL,
    negative INTEGER NOT NULL, not_now INTEGER NOT NULL, referral INTEGER NOT NULL, neutral INTEGER NOT NULL,
    out_of_office INTEGER NOT NULL, unsubscribed INTEGER NOT NULL, complained INTEGER NOT NULL, opened INTEGER NOT NULL DEFAULT 0, clicked INTEGER NOT NULL DEFAULT 0, machine_opened INTEGER NOT NULL DEFAULT 0, machine_clicked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (workspace_id, sequence_id, dimension, day, value)
) STRICT, WITHOUT ROWID;

CREATE TABLE rollup_late (
    timeline_id INTEGER PRIMARY KEY
) STRICT;

CREATE TRIGGER rollup_mark_rises BEFORE UPDATE ON rollup_mark WHEN NEW.timeline_id < OLD.timeline_id
BEGIN SELECT RAISE(ABORT, 'what is counted is not counted again'); END;

CREATE TABLE rollup_mark (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    timeline_id INTEGER NOT NULL
) STRICT;

CREATE TABLE rollup_state (
    workspace_id INTEGER NOT NULL,
    sequence_id INTEGER NOT NULL,
    state TEXT NOT NULL,
    cause TEXT NOT NULL,
    enrollments INTEGER NOT NULL,
    PRIMARY KEY (workspace_id, sequence_id, state, cause)
) STRICT, WITHOUT ROWID;

CREATE TABLE secret (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    kind TEXT NOT NULL CHECK (kind IN ('refresh_token')),
    name TEXT NOT NULL CHECK (name <> ''),
    sealed BLOB NOT NULL CHECK (length(sealed) >= 33),
    changed_at INTEGER NOT NULL,
    UNIQUE (kind, name)
) STRICT;

CREATE TABLE sending_level (
    id TEXT PRIMARY KEY CHECK (id <> ''),
    level INTEGER NOT NULL,
    booked INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sending_level_until ON sending_level (until);

CREATE TRIGGER sending_pause_keeps BEFORE DELETE ON sending_pause
BEGIN SELECT RAISE(ABORT, 'what was paused is kept'); END;

CREATE TABLE "sending_pause" (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind = 'route' OR kind = 'identity' OR kind = 'sequence' OR kind = 'instance'),
    name TEXT NOT NULL CHECK (name <> ''),
    since INTEGER NOT NULL,
    renewed_at INTEGER NOT NULL CHECK (renewed_at >= since),
    until INTEGER NOT NULL CHECK (until > renewed_at),
    failure_class TEXT NOT NULL,
    reason TEXT NOT NULL,
    renewals INTEGER NOT NULL CHECK (renewals >= 0),
    -- What a guardrail found; NULL: failures of deliveries led to it.
    finding_id INTEGER REFERENCES guardrail_finding (id),
    is_open_ended INTEGER NOT NULL DEFAULT 0 CHECK (is_open_ended IN (0, 1)),
    ended_at INTEGER,
    ended_by TEXT CHECK ((ended_by IS NULL) = (ended_at IS NULL)), workspace_id INTEGER NOT NULL DEFAULT 0 CHECK (workspace_id = 0 OR kind = 'sequence'),
    CHECK (finding_id IS NOT NULL OR kind IN ('route', 'identity') AND is_open_ended = 0)
) STRICT;

CREATE INDEX sending_pause_finding ON sending_pause (finding_id) WHERE finding_id IS NOT NULL;

CREATE UNIQUE INDEX sending_pause_open ON sending_pause (kind, name, workspace_id) WHERE ended_at IS NULL;

CREATE TABLE sequence (
    id INTEGER PRIMARY KEY,
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    name TEXT NOT NULL CHECK (name <> ''),
    latest_version_id INTEGER REFERENCES sequence_version (id)
, paused_at INTEGER, paused_by TEXT CHECK ((paused_by IS NULL) = (paused_at IS NULL))) STRICT;

CREATE UNIQUE INDEX sequence_name ON sequence (workspace_id, name);

CREATE TRIGGER sequence_version_stays BEFORE UPDATE ON sequence_version
BEGIN SELECT RAISE(ABORT, 'a sequence version never changes'); END;

CREATE TABLE sequence_version (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    sequence_id INTEGER NOT NULL REFERENCES sequence (id),
    hash TEXT NOT NULL CHECK (hash <> ''),
    plan TEXT NOT NULL CHECK (json_valid(plan))
) STRICT;

CREATE UNIQUE INDEX sequence_version_hash ON sequence_version (sequence_id, hash);

CREATE TABLE strike (
    outbox_id INTEGER PRIMARY KEY REFERENCES outbox (id),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    address_key TEXT NOT NULL CHECK (instr(address_key, '@') > 1),
    failure_class TEXT NOT NULL CHECK (failure_class <> ''),
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX strike_address ON strike (address_key, failure_class, at);

CREATE TABLE sts_policy (
    domain TEXT PRIMARY KEY CHECK (domain <> ''),
    record_id TEXT NOT NULL CHECK (length(record_id) BETWEEN 1 AND 32),
    document BLOB NOT NULL CHECK (length(document) BETWEEN 1 AND 65536),
    fetched_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at >= fetched_at),
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX sts_policy_expires ON sts_policy (expires_at);

CREATE TABLE "suppression" (
    id INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 281474976710655),
    -- 0: it holds in every workspace.
    workspace_id INTEGER NOT NULL CHECK (workspace_id >= 0),
    kind TEXT NOT NULL CHECK (kind = 'address' OR kind = 'domain' OR kind = 'pattern' OR kind = 'hash'),
    subject TEXT NOT NULL CHECK (subject <> '' AND subject = lower(subject)),
    reason TEXT NOT NULL CHECK (reason = 'unsubscribed' OR reason = 'invalid_recipient' OR reason = 'complaint' OR reason = 'refused' OR reason = 'manual' OR reason = 'erased'),
    source TEXT NOT NULL CHECK (source = 'link' OR source = 'mailto' OR source = 'reply_text' OR source = 'bounce' OR source = 'complaint' OR source = 'manual' OR source = 'import'),
    note TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER, channel TEXT NOT NULL DEFAULT 'email' CHECK (channel = 'email'),
    CHECK (CASE kind
        WHEN 'address' THEN instr(subject, '@') > 0
        WHEN 'domain' THEN instr(subject, '@') = 0
        WHEN 'pattern' THEN instr(subject, '@') > 0 AND instr(subject, '*') > 0 AND instr(subject, '[') = 0
        ELSE length(subject) = 64 AND subject NOT GLOB '*[^0-9a-f]*' END),
    CHECK (reason NOT IN ('unsubscribed', 'erased') OR expires_at IS NULL)
) STRICT;

CREATE UNIQUE INDEX suppression_subject ON suppression (workspace_id, kind, subject);

CREATE INDEX suppression_workspace ON suppression (workspace_id);

CREATE TABLE tally (
    enrollment_id INTEGER PRIMARY KEY REFERENCES enrollment (id),
    contacted_event INTEGER,
    contacted_hour INTEGER,
    contacted_outbox INTEGER REFERENCES outbox (id),
    answers TEXT CHECK (answers IS NULL OR json_valid(answers)),
    CHECK ((contacted_event IS NULL) = (contacted_hour IS NULL) AND (contacted_event IS NULL) = (contacted_outbox IS NULL))
) STRICT;

CREATE TRIGGER timeline_is_late AFTER INSERT ON timeline
    WHEN NEW.id <= (SELECT timeline_id FROM rollup_mark WHERE one = 1)
BEGIN INSERT INTO rollup_late (timeline_id) VALUES (NEW.id); END;

CREATE TRIGGER timeline_keeps BEFORE DELETE ON timeline
    WHEN OLD.kind <> 'edited' AND OLD.id >= (SELECT timeline_id FROM timeline_end WHERE one = 1)
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

CREATE TRIGGER timeline_stays BEFORE UPDATE ON timeline
BEGIN SELECT RAISE(ABORT, 'the timeline is append-only'); END;

CREATE TABLE timeline (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind = 'enrolled' OR kind = 'transition' OR kind = 'webhook' OR kind = 'edited' OR kind = 'queued' OR kind = 'accepted' OR kind = 'deferred' OR kind = 'rejected' OR kind = 'ambiguous' OR kind = 'cancelled' OR kind = 'received' OR kind = 'correlated' OR kind = 'classified' OR kind = 'bounced' OR kind = 'suppressed' OR kind = 'unsubscribed' OR kind = 'expired' OR kind = 'quarantined' OR kind = 'opened' OR kind = 'clicked'),
    contact_id INTEGER REFERENCES contact (id),
    enrollment_id INTEGER REFERENCES enrollment (id),
    outbox_id INTEGER REFERENCES outbox (id),
    intake_id INTEGER REFERENCES intake (id),
    summary TEXT NOT NULL,
    facts TEXT CHECK (facts IS NULL OR json_valid(facts))
) STRICT;

CREATE INDEX timeline_contact ON timeline (contact_id) WHERE contact_id IS NOT NULL;

CREATE INDEX timeline_intake ON timeline (intake_id) WHERE intake_id IS NOT NULL;

CREATE INDEX timeline_mail ON timeline (outbox_id) WHERE outbox_id IS NOT NULL AND contact_id IS NULL;

CREATE TRIGGER timeline_end_is_counted BEFORE UPDATE ON timeline_end
    WHEN NEW.timeline_id < OLD.timeline_id
        OR NEW.timeline_id > (SELECT timeline_id + 1 FROM rollup_mark WHERE one = 1)
        OR EXISTS (SELECT 1 FROM rollup_late WHERE timeline_id < NEW.timeline_id)
BEGIN SELECT RAISE(ABORT, 'only what is counted is old'); END;

CREATE TABLE timeline_end (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    timeline_id INTEGER NOT NULL
) STRICT;

CREATE TABLE touch (
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    link_id INTEGER NOT NULL CHECK (link_id >= 0),
    by_human INTEGER NOT NULL CHECK (by_human >= 0),
    human_at INTEGER CHECK ((human_at IS NULL) = (by_human = 0)),
    by_machine INTEGER NOT NULL CHECK (by_machine >= 0),
    machine_at INTEGER CHECK ((machine_at IS NULL) = (by_machine = 0)),
    PRIMARY KEY (outbox_id, link_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE tracking_hit (
    id INTEGER PRIMARY KEY,
    outbox_id INTEGER NOT NULL REFERENCES outbox (id),
    link_id INTEGER NOT NULL CHECK (link_id >= 0),
    at INTEGER NOT NULL,
    agent TEXT NOT NULL
) STRICT;

CREATE INDEX tracking_hit_message ON tracking_hit (outbox_id, at);

CREATE TRIGGER transition_log_keeps BEFORE DELETE ON transition_log
BEGIN SELECT RAISE(ABORT, 'the transition log is append-only'); END;

CREATE TRIGGER transition_log_stays BEFORE UPDATE ON transition_log
BEGIN SELECT RAISE(ABORT, 'the transition log is append-only'); END;

CREATE TABLE transition_log (
    enrollment_id INTEGER NOT NULL REFERENCES enrollment (id),
    version INTEGER NOT NULL CHECK (version > 0),
    at INTEGER NOT NULL,
    state TEXT NOT NULL,
    cause TEXT,
    reason TEXT NOT NULL,
    next_step INTEGER NOT NULL,
    due_at INTEGER, done_at INTEGER,
    PRIMARY KEY (enrollment_id, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE undisposed_mail (
    account TEXT NOT NULL CHECK (account <> ''),
    folder TEXT NOT NULL CHECK (folder <> ''),
    uid_validity INTEGER NOT NULL CHECK (uid_validity BETWEEN 1 AND 4294967295),
    uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    PRIMARY KEY (account, folder, uid_validity, uid)
) STRICT, WITHOUT ROWID;

CREATE TABLE unread_mail (
    account TEXT NOT NULL CHECK (account <> ''),
    folder TEXT NOT NULL CHECK (folder <> ''),
    uid_validity INTEGER NOT NULL CHECK (uid_validity BETWEEN 1 AND 4294967295),
    uid INTEGER NOT NULL CHECK (uid BETWEEN 1 AND 4294967295),
    -- Sessions that ended over it.
    own INTEGER NOT NULL DEFAULT 0 CHECK (own >= 0),
    broken INTEGER NOT NULL DEFAULT 0 CHECK (broken >= 0),
    shared INTEGER NOT NULL DEFAULT 0 CHECK (shared >= 0),
    -- When the first session began that knew of it; NULL before.
    since INTEGER,
    -- Its record, once it was passed over.
    intake_id INTEGER UNIQUE REFERENCES intake (id),
    -- From when on it is to be fetched anew; NULL: nobody asked for it.
    wanted_from INTEGER CHECK (wanted_from IS NULL OR intake_id IS NOT NULL),
    -- How often that was in vain.
    tries INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    PRIMARY KEY (account, folder, uid_validity, uid)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER watermark_rises BEFORE UPDATE ON watermark
    WHEN NEW.uid_validity = OLD.uid_validity AND NEW.last_uid < OLD.last_uid
BEGIN SELECT RAISE(ABORT, 'a watermark never goes backwards'); END;

CREATE TABLE watermark (
    account TEXT NOT NULL CHECK (account <> ''),
    folder TEXT NOT NULL CHECK (folder <> ''),
    uid_validity INTEGER NOT NULL CHECK (uid_validity BETWEEN 1 AND 4294967295),
    last_uid INTEGER NOT NULL CHECK (last_uid BETWEEN 0 AND 4294967295),
    PRIMARY KEY (account, folder)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER webhook_call_keeps BEFORE DELETE ON webhook_call WHEN OLD.state = 'queued'
BEGIN SELECT RAISE(ABORT, 'a call that waits is not forgotten'); END;

CREATE TRIGGER webhook_call_stays
    BEFORE UPDATE OF workspace_id, enrollment_id, contact_id, version_id, step, webhook, body, created_at ON webhook_call
    WHEN NEW.workspace_id <> OLD.workspace_id OR NEW.enrollment_id <> OLD.enrollment_id OR NEW.contact_id <> OLD.contact_id
        OR NEW.version_id <> OLD.version_id OR NEW.step <> OLD.step OR NEW.webhook <> OLD.webhook
        OR NEW.created_at <> OLD.created_at OR NEW.body IS NOT NULL AND NEW.body IS NOT OLD.body
BEGIN SELECT RAISE(ABORT, 'what is handed over never changes'); END;

CREATE TABLE webhook_call (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    workspace_id INTEGER NOT NULL REFERENCES workspace (id),
    enrollment_id INTEGER NOT NULL REFERENCES enrollment (id),
    contact_id INTEGER NOT NULL REFERENCES contact (id),
    version_id INTEGER NOT NULL REFERENCES sequence_version (id),
    step TEXT NOT NULL CHECK (step <> ''),
    webhook TEXT NOT NULL CHECK (webhook <> ''),
    -- The same at each attempt; NULL once it was dropped or erased.
    body TEXT CHECK (body IS NULL OR json_valid(body)),
    created_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state = 'queued' OR state = 'delivered' OR state = 'failed' OR state = 'cancelled'),
    -- Attempts that were begun, and how many of them before a person queued it anew.
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    attempts_before INTEGER NOT NULL CHECK (attempts_before BETWEEN 0 AND attempts),
    next_attempt_at INTEGER,
    lease_owner TEXT,
    lease_until INTEGER,
    last_status INTEGER,
    reason TEXT,
    ended_at INTEGER,
    CHECK ((state = 'queued') = (next_attempt_at IS NOT NULL)),
    CHECK ((state = 'queued') = (ended_at IS NULL)),
    CHECK (state <> 'queued' OR body IS NOT NULL),
    CHECK ((lease_owner IS NULL) = (lease_until IS NULL)),
    CHECK (lease_owner IS NULL OR state = 'queued')
) STRICT;

CREATE INDEX webhook_call_contact ON webhook_call (contact_id);

CREATE INDEX webhook_call_content ON webhook_call (created_at) WHERE body IS NOT NULL AND state <> 'queued';

CREATE INDEX webhook_call_due ON webhook_call (webhook, next_attempt_at) WHERE state = 'queued';

CREATE INDEX webhook_call_state ON webhook_call (state, id);

CREATE UNIQUE INDEX webhook_call_step ON webhook_call (enrollment_id, step);

CREATE TRIGGER workspace_keeps BEFORE DELETE ON workspace
BEGIN SELECT RAISE(ABORT, 'a workspace is kept'); END;

CREATE TRIGGER workspace_name_is_free BEFORE INSERT ON workspace WHEN NEW.name = 'instance'
BEGIN SELECT RAISE(ABORT, 'the name stands for all workspaces'); END;

CREATE TRIGGER workspace_stays BEFORE UPDATE ON workspace
BEGIN SELECT RAISE(ABORT, 'a workspace keeps its name'); END;

CREATE TABLE workspace (
    id INTEGER PRIMARY KEY CHECK (id > 0),
    name TEXT NOT NULL UNIQUE CHECK (name <> '')
) STRICT;
