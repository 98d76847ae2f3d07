"""Sign-in sessions and wrong passwords of late."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "sign_in_sessions",
        _text("account_id"),
        _text("access_key_id"),
        _text("session_key"),
        _text("holder_id"),
        _text("state"),
        _text("password_key"),
        _integer("began_at"),
        _integer("seen_at"),
        _integer("expires_at"),
        _text("mfa_serial", nullable=True),
        _integer("mfa_at", nullable=True),
        _integer("wrong_codes"),
        _text("entry_serial", nullable=True),
        sa.Column("entry_code", sa.LargeBinary(), nullable=True),
        _integer("entry_at", nullable=True),
        sa.Column("challenge", sa.LargeBinary(), nullable=True),
        _integer("challenge_at", nullable=True),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "access_key_id", name="pk_sign_in_sessions"),
        sa.UniqueConstraint("session_key", name="uq_sign_in_sessions_session_key"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_sign_in_sessions_accounts"),
    )
    op.create_index("ix_sign_in_sessions_account_id_holder_id", "sign_in_sessions", ["account_id", "holder_id"])
    op.create_index("ix_sign_in_sessions_expires_at", "sign_in_sessions", ["expires_at"])
    op.create_table(
        "sign_in_waits",
        _text("wait_key"),
        _integer("failures"),
        _integer("last_at"),
        _integer("next_at", nullable=True),
        sa.PrimaryKeyConstraint("wait_key", name="pk_sign_in_waits"),
    )
    op.create_index("ix_sign_in_waits_last_at", "sign_in_waits", ["last_at"])
