# Steps that the tests share; each test's script begins with this file.
import json
import shlex

URL = "http://127.0.0.1:3000"


def make_key(machine) -> str:
    """A key for a client, made by a member of gate-admin."""
    return machine.succeed("su alice -c 'gatectl token create --scopes chat:write'").strip()


def command(key: str, model: str, text: str, **fields) -> str:
    """The curl command of one chat completion."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return (
        f"curl --silent --show-error --no-buffer --max-time 120 {URL}/v1/chat/completions"
        f" -H {shlex.quote('Authorization: Bearer ' + key)}"
        f" -H 'Content-Type: application/json' -d {shlex.quote(json.dumps(body))}"
    )


def ask(machine, key: str, model: str, text: str) -> str:
    """What a model answers."""
    answer = json.loads(machine.succeed(command(key, model, text)))
    return answer["choices"][0]["message"]["content"]


def effective(machine, key: str) -> str:
    """The value of a configuration key that is in force."""
    return machine.succeed(f"gatectl config get {key}").strip()
