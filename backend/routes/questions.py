"""What agents could not answer: put to whoever is at the desk, or left to be followed up."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException, Request

from backend.models import Question
from backend.routes.calls import Words, authorized
from backend.routes.operator import operator

router = APIRouter(prefix="/api", dependencies=[Depends(authorized)], tags=["questions"])


@router.get("/questions")
async def questions(request: Request) -> list[Question]:
    """Those of all calls that nobody has settled yet, the newest first."""
    found: list[Question] = request.app.state.store.open_questions()
    return found


@router.post("/questions/{question_id}/answer", status_code=202)
async def answer(request: Request, question_id: int, words: Words) -> None:
    """Answer it. The agent tells the callee where the call still runs; otherwise the answer is kept."""
    if not await request.app.state.switchboard.answer(question_id, words.text, operator(request)):
        raise _gone(question_id)


@router.post("/questions/{question_id}/settle", status_code=204)
async def settle(request: Request, question_id: int) -> None:
    """Tick it off as followed up."""
    if not request.app.state.switchboard.settle(question_id):
        raise _gone(question_id)


@router.post("/calls/{call_id}/watch", status_code=202)
async def watch(request: Request, call_id: str) -> None:
    """Somebody has this call before them now, and can answer; good for a few seconds."""
    request.app.state.switchboard.watch(call_id)


def _gone(question_id: int) -> HTTPException:
    return HTTPException(404, f"Question {question_id} does not exist, or is settled already.")
