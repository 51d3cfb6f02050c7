"""Models, LLM calls, and the record shapes in which a gateway or a caller reports a call.

Three shapes are written: the gateway's current one, its older one, and the flat one of a caller
that pushes its own counts. They state the same facts under different names.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

Record = dict[str, Any]

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOST = "https://api.fireworks.ai/inference/v1"
METER_ID = "prd_01K7QJ0000DEM0METER0000000"


@dataclass(frozen=True)
class Model:
    """A provider's model with the list prices that the gateway reported at the time.

    Prices are whole thousandths of a USD, for 1M tokens, or for a minute where `path` is audio.
    """

    name: str
    input_price: int
    output_price: int
    path: str = "chat/completions"


def _fireworks(name: str, input_price: int, output_price: int) -> Model:
    return Model(f"accounts/fireworks/models/{name}", input_price, output_price)


LLAMA_70B = _fireworks("llama-v3p3-70b-instruct", 900, 900)
LLAMA_405B = _fireworks("llama-v3p1-405b-instruct", 3000, 3000)
MIXTRAL_BEFORE = _fireworks("mixtral-8x22b-instruct", 900, 900)
MIXTRAL_AFTER = _fireworks("mixtral-8x22b-instruct", 1200, 1200)
DEEPSEEK_V3 = _fireworks("deepseek-v3", 900, 900)
DEEPSEEK_PRO = _fireworks("deepseek-v4-pro", 1740, 3480)
FIREFUNCTION = _fireworks("firefunction-v2", 900, 900)
GLM = _fireworks("glm-5p1", 1400, 4400)
KIMI = _fireworks("kimi-k2-instruct", 600, 2500)
GPT_120B = _fireworks("gpt-oss-120b", 150, 600)
GPT_20B = _fireworks("gpt-oss-20b", 70, 300)
QWEN = _fireworks("qwen3-vl-30b-a3b-thinking", 150, 600)
HOUSE = _fireworks("house-tuned-7b", 0, 0)  # no table lists it at any time
WHISPER = Model("whisper-v3", 200, 0, "audio/transcriptions")
NOMIC = Model("nomic-ai/nomic-embed-text-v1.5", 8, 0, "embeddings")

# A model stands here as often as it is liked.
OLD_TEXT = (
    4 * (LLAMA_70B, LLAMA_405B) + 3 * (DEEPSEEK_V3,) + 2 * (MIXTRAL_BEFORE,) + (FIREFUNCTION,)
)
NEW_TEXT = (
    2 * (DEEPSEEK_PRO, LLAMA_70B, GLM, KIMI, GPT_120B, MIXTRAL_AFTER)
    + 2 * (DEEPSEEK_PRO, GLM)
    + (GPT_20B, QWEN)
)


@dataclass(frozen=True)
class Call:
    """What happened once, before any shape is chosen. Times are milliseconds since 1970.

    `variant` is a whole number from which a shape draws its small differences.
    """

    request_id: str
    customer: str
    model: Model
    started_ms: int
    completed_ms: int
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    audio_us: int = 0
    key_type: str = "managed"
    metadata: tuple[tuple[str, str], ...] = ()
    variant: int = 0


def ulid(time_ms: int, randomness: int) -> str:
    """The 26 Crockford characters of 48 bits of time and 80 bits of randomness."""
    number = time_ms << 80 | randomness
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def time_text(time_ms: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = EPOCH + timedelta(milliseconds=time_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def usd(nano: int) -> str:
    """Nano-USD as the gateway's decimal string of ten places."""
    return f"{nano // 10**9}.{nano % 10**9:09d}0"


def current_shape(call: Call) -> Record:
    """The gateway's record of today: customer, one `cost`, one `charge`."""
    cost = sum(_costs(call))
    return {
        "request_id": call.request_id,
        "status": "completed",
        "customer_id": call.customer,
        "meter_id": METER_ID,
        **_provider_fields(call),
        "response_id": f"chatcmpl-{call.variant:016x}",
        "model_usage": _model_usage(call),
        "cost": usd(cost),
        "charge": {"amount": usd(cost // 10), "rate_type": "percentage", "breakdown": []},
        **_metadata_and_times(call),
    }


def older_shape(call: Call) -> Record:
    """The gateway's record of earlier years: connection, product, payer and several totals."""
    cost = sum(_costs(call))
    total = usd(cost + cost // 10)
    return {
        "request_id": call.request_id,
        "status": "completed",
        "connection_id": call.customer,
        "product_id": METER_ID,
        **_provider_fields(call),
        "response_id": f"chatcmpl-{call.variant:016x}",
        "model_usage": {**_model_usage(call), "payer": "wallet"},
        "fee": {
            "amount": usd(cost // 10),
            "rate_type": "percentage",
            "token_basis": "input+output",
        },
        "service_charge": {"amount": usd(cost // 50), "payer": "merchant"},
        "total_request_cost": total,
        "total_wallet_cost": total,
        "total_merchant_cost": usd(cost // 50),
        **_metadata_and_times(call),
    }


def flat_shape(call: Call) -> Record:
    """What a caller pushes itself: the counts on top, under one of several common names.

    One in four leaves the time out (the ULID's counts then), one in four the provider (the
    endpoint's host tells it), one in four provider and endpoint (the model tells it).
    """
    record = {
        "request_id": call.request_id,
        "customer_id": call.customer,
        "model": call.model.name,
        **_flat_usage(call),
        **_metadata(call),
    }
    if call.key_type != "managed":
        record["provider_key_type"] = call.key_type
    habit = call.variant % 4
    if habit in (0, 1):
        record["provider"] = "fireworks"
    if habit in (0, 2):
        record["endpoint"] = f"POST {HOST}/{call.model.path}"
    if habit != 1:
        record["timestamp"] = time_text(call.completed_ms)
    return record


def pending_shape(call: Call) -> Record:
    """The current shape before the provider has answered: no usage, no cost, no completion time."""
    unknown = {"model_usage", "cost", "charge", "response_id", "timestamp"}
    known = {name: value for name, value in current_shape(call).items() if name not in unknown}
    return {**known, "status": "pending"}


def _provider_fields(call: Call) -> Record:
    return {
        "provider": "fireworks",
        "provider_key_type": call.key_type,
        "model": call.model.name,
        "endpoint": f"POST {HOST}/{call.model.path}",
    }


def _metadata(call: Call) -> Record:
    return {"metadata": dict(call.metadata)} if call.metadata else {}


def _metadata_and_times(call: Call) -> Record:
    times = {"timestamp": time_text(call.completed_ms), "created_at": time_text(call.started_ms)}
    return {**_metadata(call), **times}


def _model_usage(call: Call) -> Record:
    input_cost, output_cost = _costs(call)
    costs = {
        "input_cost": usd(input_cost),
        "output_cost": usd(output_cost),
        "total_cost": usd(input_cost + output_cost),
    }
    if call.audio_us:
        return {"input_seconds": Decimal(call.audio_us).scaleb(-6), **costs}
    return {
        "input_tokens": call.input_tokens,
        "output_tokens": call.output_tokens,
        "total_tokens": call.input_tokens + call.output_tokens,
        **costs,
    }


def _costs(call: Call) -> tuple[int, int]:
    """Input and output cost in nano-USD, as the gateway reports them (cut off, never compared)."""
    if call.audio_us:
        return call.audio_us * call.model.input_price // 60, 0
    input_cost = call.input_tokens * call.model.input_price
    return input_cost, call.output_tokens * call.model.output_price


def _flat_usage(call: Call) -> Record:
    if call.audio_us:
        return {"input_seconds": Decimal(call.audio_us).scaleb(-6)}
    return USAGE_STYLES[call.variant // 4 % 4](call)


def _plain_tokens(call: Call) -> Record:
    return {"input_tokens": call.input_tokens, "output_tokens": call.output_tokens}


def _cached_tokens(call: Call) -> Record:
    return {**_plain_tokens(call), "cached_input_tokens": call.cached_tokens}


def _prompt_tokens(call: Call) -> Record:
    return {"prompt_tokens": call.input_tokens, "completion_tokens": call.output_tokens}


def _chat_usage(call: Call) -> Record:
    usage = {
        **_prompt_tokens(call),
        "total_tokens": call.input_tokens + call.output_tokens,
        "prompt_tokens_details": {"cached_tokens": call.cached_tokens},
    }
    return {"usage": usage}


USAGE_STYLES = (_plain_tokens, _cached_tokens, _prompt_tokens, _chat_usage)
