"""curl and the SDK at the same work."""

import json
import os
import subprocess
import time

QUERY = json.dumps({
    "operationName": None,
    "variables": {"file": None, "contentLength": 1, "sign": False},
    "query": "mutation UploadFile($file: Upload!, $contentLength: Int!, $sign: Boolean) "
             "{ uploadFile(file: $file, contentLength: $contentLength, sign: $sign) { url filename } }"})


def curl(site, paths, parallel):
    """Uploads files by one curl with so many transfers at a time; seconds, CPU seconds and peak bytes."""
    config = site.root / "curl.conf"
    with open(config, "w") as out:
        for number, path in enumerate(paths):
            if number:
                out.write("next\n")
            # "next" forgets all of these.
            out.write(
                f'url = "{site.endpoint}"\nheader = "Authorization: Bearer test-key"\n'
                f"form = {json.dumps('operations=' + QUERY)}\n"
                'form = "map={\\"0\\": [\\"variables.file\\"]}"\n'
                f'form = "0=@{path};type=image/jpeg"\nsilent\nfail\noutput = /dev/null\n')
    begin = time.monotonic()
    process = subprocess.Popen(
        ["curl", "--silent", "--show-error", "--parallel", "--parallel-immediate", "--parallel-max", str(parallel), "--config", str(config)],
        # With --parallel it shows a meter, whatever it is told.
        stderr=subprocess.DEVNULL, env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")})
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"curl ended with {process.returncode}")
    return {"seconds": time.monotonic() - begin, "cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss * 1024}


def sdk(python, site, what, amount):
    """What the SDK took."""
    here = os.path.dirname(os.path.abspath(__file__))
    done = subprocess.run(
        [python, f"{here}/sdk_peer.py", site.endpoint, what, str(amount)], capture_output=True, text=True, check=False,
        env={k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")})
    if done.returncode != 0:
        raise RuntimeError(done.stderr[-2000:])
    return json.loads(done.stdout.splitlines()[-1])
