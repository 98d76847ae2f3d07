"""Groups, roles, policies, passwords for users, and the credential report."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _integer(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.account_id"], name=f"fk_{table}_accounts")


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["account_id", "user_id"], ["users.account_id", "users.user_id"], name=f"fk_{table}_users", ondelete="CASCADE"
    )


def upgrade() -> None:
    op.add_column("accounts", _text("guard_policy", nullable=True))
    op.add_column("accounts", _text("password_policy", nullable=True))
    op.add_column("accounts", _integer("policies_revision", nullable=True))
    op.add_column("users", _text("permissions_boundary", nullable=True))
    op.create_index("ix_users_account_id_permissions_boundary", "users", ["account_id", "permissions_boundary"])
    op.create_table(
        "login_profiles",
        _text("account_id"),
        _text("user_id"),
        _text("password_hash"),
        _integer("created_at"),
        _integer("changed_at"),
        sa.Column("reset_required", sa.Boolean(), nullable=False),
        _integer("misses"),
        _integer("next_try_at", nullable=True),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "user_id", name="pk_login_profiles"),
        _of_user("login_profiles"),
    )
    op.create_table(
        "old_passwords",
        _text("account_id"),
        _text("user_id"),
        _integer("changed_at"),
        _text("password_hash"),
        sa.PrimaryKeyConstraint("account_id", "user_id", "changed_at", name="pk_old_passwords"),
        _of_user("old_passwords"),
    )
    op.create_table(
        "credential_reports",
        _text("account_id"),
        _integer("generated_at"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name="pk_credential_reports"),
        _of_account("credential_reports"),
    )
    op.create_table(
        "groups",
        _text("account_id"),
        _text("group_id"),
        _text("group_name"),
        _text("name_key"),
        _text("path"),
        _integer("created_at"),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "group_id", name="pk_groups"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_groups_account_id_name_key"),
        _of_account("groups"),
    )
    op.create_table(
        "group_members",
        _text("account_id"),
        _text("group_id"),
        _text("user_id"),
        sa.PrimaryKeyConstraint("account_id", "group_id", "user_id", name="pk_group_members"),
        sa.ForeignKeyConstraint(
            ["account_id", "group_id"], ["groups.account_id", "groups.group_id"], name="fk_group_members_groups"
        ),
        _of_user("group_members"),
    )
    op.create_index("ix_group_members_account_id_user_id", "group_members", ["account_id", "user_id"])
    op.create_table(
        "roles",
        _text("account_id"),
        _text("role_id"),
        _text("role_name"),
        _text("name_key"),
        _text("path"),
        _integer("created_at"),
        _text("trust_policy"),
        _integer("max_session_seconds"),
        _text("description", nullable=True),
        _text("tags"),
        _text("permissions_boundary", nullable=True),
        _integer("last_used_at", nullable=True),
        _text("last_used_region", nullable=True),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "role_id", name="pk_roles"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_roles_account_id_name_key"),
        _of_account("roles"),
    )
    op.create_index("ix_roles_account_id_permissions_boundary", "roles", ["account_id", "permissions_boundary"])
    op.create_table(
        "inline_policies",
        _text("account_id"),
        _text("owner_id"),
        _text("policy_name"),
        _text("document"),
        sa.PrimaryKeyConstraint("account_id", "owner_id", "policy_name", name="pk_inline_policies"),
        _of_account("inline_policies"),
    )
    op.create_table(
        "managed_policies",
        _text("account_id"),
        _text("policy_id"),
        _text("policy_name"),
        _text("name_key"),
        _text("path"),
        _integer("created_at"),
        _integer("updated_at"),
        _integer("default_version"),
        _integer("newest_version"),
        _text("description", nullable=True),
        _text("tags"),
        _integer("revision"),
        sa.PrimaryKeyConstraint("account_id", "policy_id", name="pk_managed_policies"),
        sa.UniqueConstraint("account_id", "name_key", name="uq_managed_policies_account_id_name_key"),
        _of_account("managed_policies"),
    )
    op.create_table(
        "policy_versions",
        _text("account_id"),
        _text("policy_id"),
        _integer("number"),
        _text("document"),
        _integer("created_at"),
        sa.PrimaryKeyConstraint("account_id", "policy_id", "number", name="pk_policy_versions"),
        sa.ForeignKeyConstraint(
            ["account_id", "policy_id"],
            ["managed_policies.account_id", "managed_policies.policy_id"],
            name="fk_policy_versions_managed_policies",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "attached_policies",
        _text("account_id"),
        _text("owner_id"),
        _text("policy_arn"),
        sa.PrimaryKeyConstraint("account_id", "owner_id", "policy_arn", name="pk_attached_policies"),
        _of_account("attached_policies"),
    )
    op.create_index("ix_attached_policies_account_id_policy_arn", "attached_policies", ["account_id", "policy_arn"])
