"""Datasets, plans with their edits, snapshots, versions and comments, and the table of published grids."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from web.store.migrations.triggers import forbid, permit

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

GRIDS = """
CREATE TABLE grids (
    plan_id text NOT NULL,
    grid_id integer NOT NULL,
    plan_name text NOT NULL,
    project_name text NOT NULL,
    revision integer NOT NULL,
    published_at text NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    community text NOT NULL,
    community_id text NOT NULL,
    households bigint NOT NULL,
    persons bigint NOT NULL,
    load bigint NOT NULL,
    buildings bigint NOT NULL,
    cells bigint NOT NULL,
    deviation double precision,
    in_band boolean,
    polsby_popper double precision,
    area_m2 double precision,
    perimeter_m double precision,
    staff integer NOT NULL,
    kind text NOT NULL,
    note text NOT NULL,
    geometry geometry(Geometry, 4326) NOT NULL,
    CONSTRAINT pk_grids PRIMARY KEY (plan_id, grid_id)
)
"""
"""The published grids, for QGIS and others that read PostGIS; an embedded store has a GeoPackage instead."""


def upgrade() -> None:
    """Come from the version before."""
    op.create_table(
        "datasets",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("cells", sa.Integer(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_datasets")),
        sa.UniqueConstraint("id", name=op.f("uq_datasets_id")),
    )
    op.create_table(
        "plans",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("project_id", sa.Text(), nullable=False),
        sa.Column("dataset_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("genesis", sa.Text(), nullable=False),
        sa.Column("head_hash", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Text(), nullable=True),
        sa.Column("parent_revision", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("standard", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("published_revision", sa.Integer(), nullable=True),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("created", sa.Text(), nullable=False),
        sa.Column("updated", sa.Text(), nullable=False),
        sa.Column("removed", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('draft', 'consultation', 'approved', 'published', 'withdrawn')",
            name=op.f("ck_plans_status"),
        ),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name=op.f("fk_plans_dataset_id")),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_plans_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_plans")),
        sa.UniqueConstraint("id", name=op.f("uq_plans_id")),
        sa.UniqueConstraint("job_id", name=op.f("uq_plans_job_id")),
    )
    op.create_index(op.f("ix_plans_dataset_id"), "plans", ["dataset_id"])
    op.create_index(op.f("ix_plans_project_id"), "plans", ["project_id"])
    op.create_table(
        "comments",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("grid", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("edited", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("fk_comments_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_comments")),
        sa.UniqueConstraint("id", name=op.f("uq_comments_id")),
    )
    op.create_index(op.f("ix_comments_plan_id"), "comments", ["plan_id"])
    op.create_table(
        "edits",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("op_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("change", sa.Text(), nullable=False),
        sa.Column("undoes", sa.Integer(), nullable=True),
        sa.Column("redoes", sa.Integer(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("revision > 0", name=op.f("ck_edits_revision")),
        sa.ForeignKeyConstraint(["plan_id"], ["plans.id"], name=op.f("fk_edits_plan_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("plan_id", "revision", name=op.f("pk_edits")),
        sa.UniqueConstraint("plan_id", "op_id", name=op.f("uq_edits_plan_id_op_id")),
    )
    op.create_table(
        "snapshots",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("fk_snapshots_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "revision", name=op.f("pk_snapshots")),
    )
    op.create_table(
        "versions",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("user_name", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["plans.id"], name=op.f("fk_versions_plan_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_versions")),
        sa.UniqueConstraint("id", name=op.f("uq_versions_id")),
        sa.UniqueConstraint("plan_id", "name", name=op.f("uq_versions_plan_id_name")),
    )
    forbid("edits", "UPDATE")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(GRIDS)
        op.create_index("ix_grids_geometry", "grids", ["geometry"], postgresql_using="gist")


def downgrade() -> None:
    """Go back to the version before."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_table("grids")
    permit("edits", "UPDATE")
    op.drop_table("versions")
    op.drop_table("snapshots")
    op.drop_table("edits")
    op.drop_table("comments")
    op.drop_table("plans")
    op.drop_table("datasets")
