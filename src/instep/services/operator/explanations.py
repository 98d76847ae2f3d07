"""Why somebody may do something or not: every statement that counts for them, and what keeps it from applying."""

from __future__ import annotations

from collections.abc import Iterator

from instep.domain.identity import PrincipalKind
from instep.domain.policy.condition import Condition
from instep.domain.policy.document import Statement
from instep.domain.policy.evaluation import AccessRequest, Decision, Layer, Outcome, Policies
from instep.domain.policy.explanation import Verdict, explain
from instep.domain.policy.variables import Context
from instep.services.authorize import denial
from instep.services.condition_keys import expected
from instep.services.iam.policy_sources import ANY_SESSION
from instep.services.iam.simulated_requests import context_of
from instep.services.iam.targets import on_everything
from instep.services.operation import Call, operation
from instep.services.operator.explained_requests import Asked, asked, notes
from instep.services.operator.model import ExplainAccessRequest, ExplainAccessResponse, ExplainedStatement

_REGION_OF_IAM = "us-east-1"


@operation("instep:ExplainAccess", on=on_everything, writes=False)
def explain_access(call: Call, request: ExplainAccessRequest) -> ExplainAccessResponse:
    """As the request itself would be decided, with these credentials, at this moment.

    Raises NoSuchEntity for a principal that is not there, InvalidInput for what cannot be asked.
    """
    question = asked(call, request)
    root = question.principal.kind is PrincipalKind.ROOT
    policies = call.policies.of(call.tx, question.principal)
    keys = context_of(request.context_entries or (), _keys(call, question))
    access = AccessRequest(question.action, question.resource.arn, keys)
    explanation = explain(policies, access, root=root, resource=question.trust)
    decision = explanation.decision
    # No policy is asked about some operations, so that none is shown.
    verdicts = () if question.free else explanation.verdicts
    return ExplainAccessResponse(
        principal_arn=question.principal.arn,
        action=question.action,
        resource=question.resource.arn,
        credentials=question.credentials.value if question.credentials is not None else None,
        outcome=(Outcome.ALLOWED if question.free else decision.outcome).value,
        layer=None if question.free or decision.layer is None else decision.layer.value,
        sentence=None if question.free or decision.allowed else _sentence(question, decision),
        layers=() if question.free else tuple(_layers(policies, question, root=root)),
        statements=tuple(_told(verdict, decision, keys) for verdict in verdicts),
        missing_context_keys=() if question.free else explanation.missing_context_keys,
        notes=tuple(notes(request, question, guarded=policies.guard is not None)),
    )


def _keys(call: Call, question: Asked) -> Context:
    keys = expected(question.principal, question.resource, call.now)
    if question.action.lower().startswith("iam:"):
        keys["aws:requestedregion"] = (_REGION_OF_IAM,)
    scope = question.principal.scope
    if scope is not None and scope.name == ANY_SESSION:
        # Each of the role's sessions has its own.
        del keys["aws:userid"]
    return keys


def _layers(policies: Policies, question: Asked, *, root: bool) -> Iterator[str]:
    there = set(policies.layers())
    if root:
        # Nothing of its own limits the root user.
        there &= {Layer.GUARD}
    if question.trust is not None:
        there.add(Layer.RESOURCE)
    return (layer.value for layer in Layer if layer in there)


def _sentence(question: Asked, decision: Decision) -> str:
    sentence = denial(question.principal, question.action, question.resource.arn, decision)
    # About roles AWS gives no reason: it would tell of another's trust policy.
    return sentence.removesuffix(f" {decision.because(question.action)}") if question.on_role else sentence


def _told(verdict: Verdict, decision: Decision, keys: Context) -> ExplainedStatement:
    statement, policy = verdict.statement, verdict.policy
    found = tuple(_finding(condition, keys) for condition in statement.conditions) if verdict.applies else verdict.reasons
    return ExplainedStatement(
        layer=verdict.layer.value,
        policy_name=policy.name,
        policy_type=policy.source_type,
        policy_owner=policy.owner,
        number=verdict.number,
        sid=statement.sid or None,
        effect=statement.effect.value,
        applies=verdict.applies,
        decides=_decides(statement, decision, verdict.layer),
        reasons=found,
    )


def _decides(statement: Statement, decision: Decision, layer: Layer) -> bool:
    return any(one.statement is statement and one.layer is layer for one in decision.statements)


def _finding(condition: Condition, keys: Context) -> str:
    """What a condition that holds has found: people wonder most about those that hold because a key is absent."""
    given = keys.get(condition.name)
    if condition.operator == "Null":
        return f"{condition.key} is {'present' if given else 'absent'}, as Null wants it"
    if not given:
        return f"{condition.key} is absent, and {condition.operator} holds without it"
    return f"{condition.key} is {', '.join(given)}, and {condition.operator} holds"
