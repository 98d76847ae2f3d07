"""The first schema: accounts, users, keys, TOTP devices, the audit trail.

Spelt out rather than read from `schema.py`, which moves on; a test compares what the migrations make with it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_accounts"),
        sa.UniqueConstraint("alias", name="uq_accounts_alias"),
    )
    op.create_table(
        "audit_events",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "event_id", name="pk_audit_events"),
    )
    op.create_index("ix_audit_events_account_id_at_event_id", "audit_events", ["account_id", "at", "event_id"])
    op.create_index("ix_audit_events_at_event_id", "audit_events", ["at", "event_id"])
    op.create_table(
        "meta",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_meta"),
    )
    op.create_table(
        "access_keys",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("access_key_id", sa.Text(), nullable=False),
        sa.Column("holder_id", sa.Text(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("last_used_service", sa.Text(), nullable=True),
        sa.Column("last_used_region", sa.Text(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_access_keys_accounts"),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", name="pk_access_keys"),
        sa.UniqueConstraint("access_key_id", name="uq_access_keys_access_key_id"),
    )
    op.create_index("ix_access_keys_account_id_holder_id", "access_keys", ["account_id", "holder_id"])
    op.create_table(
        "mfa_devices",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("serial_number", sa.Text(), nullable=False),
        sa.Column("serial_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.LargeBinary(), nullable=False),
        sa.Column("seed_fingerprint", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("holder_id", sa.Text(), nullable=True),
        sa.Column("enabled_at", sa.BigInteger(), nullable=True),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("drift_ms", sa.BigInteger(), nullable=False),
        sa.Column("rate_ppb", sa.BigInteger(), nullable=False),
        sa.Column("drift_at", sa.BigInteger(), nullable=False),
        sa.Column("restarted_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("newest_accepted_step", sa.BigInteger(), nullable=True),
        sa.Column("floor", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=True),
        sa.Column("code_misses", sa.BigInteger(), nullable=False),
        sa.Column("next_code_at", sa.BigInteger(), nullable=True),
        sa.Column("receipt_by", sa.Text(), nullable=True),
        sa.Column("receipt_at", sa.BigInteger(), nullable=True),
        sa.Column("receipt_step", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_mfa_devices_accounts"),
        sa.PrimaryKeyConstraint("account_id", "token_id", name="pk_mfa_devices"),
        sa.UniqueConstraint("account_id", "seed_fingerprint", name="uq_mfa_devices_account_id_seed_fingerprint"),
        sa.UniqueConstraint("account_id", "serial_key", name="uq_mfa_devices_account_id_serial_key"),
    )
    op.create_index(
        "ix_mfa_devices_account_id_holder_id_serial_number", "mfa_devices", ["account_id", "holder_id", "serial_number"]
    )
    op.create_index("ix_mfa_devices_account_id_kind_serial_number", "mfa_devices", ["account_id", "kind", "serial_number"])
    op.create_table(
        "root_users",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("password_last_used", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_root_users_accounts"),
        sa.PrimaryKeyConstraint("account_id", name="pk_root_users"),
        sa.UniqueConstraint("email_key", name="uq_root_users_email_key"),
    )
    op.create_table(
        "users",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("password_last_used", sa.BigInteger(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_users_accounts"),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="pk_users"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_users_account_id_name_key"),
    )
    op.create_table(
        "pair_tries",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("claimant", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "token_id"],
            ["mfa_devices.account_id", "mfa_devices.token_id"],
            name="fk_pair_tries_mfa_devices",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "token_id", "attempt_id", name="pk_pair_tries"),
    )
    op.create_table(
        "sightings",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "token_id"],
            ["mfa_devices.account_id", "mfa_devices.token_id"],
            name="fk_sightings_mfa_devices",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "token_id", "step", name="pk_sightings"),
    )
    op.create_table(
        "spent_steps",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("token_id", sa.Text(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("arrived_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "token_id"],
            ["mfa_devices.account_id", "mfa_devices.token_id"],
            name="fk_spent_steps_mfa_devices",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "token_id", "step", name="pk_spent_steps"),
    )
    op.create_index("ix_spent_steps_arrived_at", "spent_steps", ["arrived_at"])
