"""Names of roles, states and stages as pages show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_babel import lazy_gettext as _

if TYPE_CHECKING:
    from web.store import Project

ROLE_NAMES = {
    "buildings": _("Buildings"),
    "households": _("Households"),
    "compounds": _("Compounds"),
    "communities": _("Communities"),
    "roads": _("Roads"),
    "water": _("Water"),
    "railways": _("Railways"),
    "stations": _("Service stations"),
    "old_grids": _("Old grids"),
    "candidates": _("Candidate sites"),
    "gates": _("Gates"),
}

STATE_NAMES = {
    "queued": _("Waiting"),
    "running": _("Running"),
    "done": _("Done"),
    "failed": _("Failed"),
    "cancelled": _("Cancelled"),
    "interrupted": _("Interrupted"),
}

STAGE_NAMES = {
    "queued": _("Waiting for its turn"),
    "start": _("Starting"),
    "demo": _("Building the demo city"),
    "read": _("Reading layers"),
    "layers": _("Reading layers"),
    "cells": _("Drawing cells"),
    "partition": _("Dividing into grids"),
    "write": _("Checking and writing"),
    "coverage": _("Measuring service circles"),
    "map": _("Drawing the map"),
    "done": _("Done"),
}

SEVERITY_NAMES = {"error": _("Error"), "warning": _("Warning"), "info": _("Note")}

DOWNLOAD_NAMES = {
    "grids.geojson": _("Grid boundaries, GeoJSON"),
    "grids.csv": _("Grid table for Excel, CSV"),
    "plan.gpkg": _("Whole plan for QGIS, GeoPackage"),
    "report.json": _("Report with every figure, JSON"),
    "map-zh.html": _("Map that opens offline, Chinese"),
    "map-en.html": _("Map that opens offline, English"),
    "coverage.gpkg": _("Service coverage, GeoPackage"),
    "coverage.json": _("Service coverage figures, JSON"),
}

MEASURE_NAMES = {"households": _("households"), "persons": _("persons")}

DEMO_NAMES = {"demo-small": _("Demo district"), "demo-full": _("Full demo city")}

MEMBER_ROLE_NAMES = {"viewer": _("Viewer"), "editor": _("Editor"), "owner": _("Owner")}

PLAN_STATUS_NAMES = {
    "draft": _("Draft"),
    "consultation": _("Consultation"),
    "approved": _("Approved"),
    "published": _("Published"),
    "withdrawn": _("Withdrawn"),
}

STEP_NAMES = {
    "draft": _("Back to draft"),
    "consultation": _("Send to consultation"),
    "approved": _("Approve"),
    "published": _("Publish"),
    "withdrawn": _("Withdraw"),
}

AUDIT_NAMES = {
    "sign-in": _("signed in"),
    "sign-in-failed": _("failed to sign in"),
    "sign-out": _("signed out"),
    "sign-out-everywhere": _("signed out everywhere"),
    "password-change": _("password changed"),
    "provider-link": _("bound to the identity provider"),
    "user-add": _("user added"),
    "user-change": _("user changed"),
    "member-add": _("member added"),
    "member-change": _("role changed"),
    "member-remove": _("member removed"),
    "project-create": _("project uploaded or opened"),
    "project-delete": _("project deleted"),
    "layers-assign": _("roles of layers chosen"),
    "job-start": _("planning job started"),
    "job-cancel": _("job cancelled"),
    "siting-start": _("siting job started"),
    "export-start": _("export started"),
    "plan-create": _("plan made"),
    "plan-branch": _("plan branched"),
    "plan-change": _("plan renamed or described"),
    "plan-delete": _("plan deleted"),
    "plan-status": _("status changed"),
    "version-create": _("version named"),
    "comment-create": _("comment written"),
    "comment-change": _("comment changed"),
    "comment-delete": _("comment deleted"),
    "edit": _("plan edited"),
}


def project_name(project: Project) -> str:
    """Return the name of a project; a demo city is named in the reader's language."""
    return str(DEMO_NAMES.get(project.kind, project.name))
