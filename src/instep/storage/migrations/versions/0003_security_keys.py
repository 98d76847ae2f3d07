"""Security keys and passkeys."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "security_keys",
        _text("account_id"),
        _text("credential_id"),
        _text("holder_id"),
        _text("serial_number"),
        _text("serial_key"),
        _text("name"),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        _integer("sign_count"),
        _text("transports"),
        _text("aaguid"),
        _integer("created_at"),
        _integer("last_used_at", nullable=True),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "credential_id", name="pk_security_keys"),
        sa.UniqueConstraint("account_id", "serial_key", name="uq_security_keys_account_id_serial_key"),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name="fk_security_keys_accounts"),
    )
    op.create_index(
        "ix_security_keys_account_id_holder_id_serial_number", "security_keys", ["account_id", "holder_id", "serial_number"]
    )
