"""The routes of files: the user's own to be had and deleted, others' to be added."""

from __future__ import annotations

from pathlib import PurePath

from flask import Blueprint, Response, abort, request

from recbench.errors import InputError
from recbench.own_ratings.output import lines_of
from recbench.own_ratings.profile import FILE
from recbench.own_ratings.reading import ratings_of
from recbench.own_ratings.session import Session
from recbench.page.answering import changed, the_user, to_page
from recbench.page.guards import UPLOAD
from recbench.page.said import Said

routes = Blueprint("filing", __name__)
LONGEST_NAME = 100  # signs of a name, of a file or a user, in a message


@routes.get(f"/{FILE}")
def download() -> Response:
    user = the_user()
    with user.looked_at():
        content = user.file.content
    if content is None:
        abort(404, "Nothing is known of you: there is no file")
    response = Response(content, content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{FILE}"'
    return response


@routes.post("/import", endpoint=UPLOAD)
def add() -> Response:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise InputError("Choose a file first")
    name = PurePath(file.filename.replace("\\", "/")).name[:LONGEST_NAME] or "the file"
    who = request.form.get("user", "").strip()[:LONGEST_NAME]
    given = ratings_of(file.read(), name, who, "userId")

    def change(session: Session) -> list[str]:
        lines = [*lines_of(session.add(given.ratings), given.kind), *given.notes]
        if not all(rating.title for rating in given.ratings):
            lines.append(f"movieId is read as {session.catalogue.dataset} numbers films")
        return lines

    return changed(change)


@routes.post("/delete")
def delete() -> Response:
    if request.form.get("sure") != "yes":
        raise InputError("Nothing was deleted. Say first that you are sure")
    user = the_user()
    there_was = user.delete()
    done = f"deleted {user.file.path}" if there_was else f"there is no file {user.file.path}"
    return to_page(Said([done]))
