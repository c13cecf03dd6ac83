"""Lists the simulated cloud through the vendor's own SDK, and compares that with an archive of the same cloud.

The SDK signs every request with an access key, finds the project by the region's name, pages, and reads each record into
its own classes; then it does the same with the temporary keys of an ECS. None of that is ours, so it judges the
simulated cloud: its signatures, its IAM, its metadata service, its paging, and the types of its fields.

Usage: ask.py PROGRAM FOLDER, where FOLDER is a new one for the archive.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

# The SDK asks through the proxy of the environment otherwise, even on this machine. It takes credentials from there as
# well, and none of them is meant here.
os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
for variable in [name for name in os.environ if name.startswith(("HUAWEICLOUD_SDK_", "DCS_HISTORY_"))]:
    del os.environ[variable]

from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.auth.internal import MetadataAccessor
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkException
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkdcs.v2 import DcsClient, ListBackgroundTaskRequest, ListInstancesRequest

INSTANCES, TASKS = 12, 57


def make_archive(program, folder, ready):
    """Syncs the whole project into an archive."""
    archive = folder / "history.db"
    command = [program, "--db", archive, "-q", "sync", "--endpoint", ready["endpoint"]]
    command += ["--project-id", ready["project_id"], "--token-file", ready["token_file"]]
    subprocess.run(command, check=True, timeout=120)
    return archive


def archived(program, archive, sql):
    """Asks the archive; a column called `raw` is read as the JSON that it is."""
    command = [program, "--db", archive, "sql", "-o", "json", sql]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = json.loads(done.stdout)
    return [{**row, "raw": json.loads(row["raw"])} for row in rows]


def client(credentials, ready, region=None):
    """Makes a client of the SDK; with a region's name it looks the project up there."""
    builder = DcsClient.new_builder().with_credentials(credentials)
    if region is None:
        return builder.with_endpoint(ready["endpoint"]).build()
    return builder.with_region(Region(id=region, endpoint=ready["endpoint"])).build()


def pages(ask, request, members, limit):
    """Reads a list to its end as the vendor's Terraform provider does: by what came, until nothing comes."""
    request.offset, request.limit = 0, limit
    records = []
    while True:
        answer = ask(request)
        page = getattr(answer, members)
        if not page:
            return answer, records
        assert len(page) <= limit, (len(page), limit)
        records += page
        request.offset = len(records)


def differences(model, raw, at=""):
    """Names the fields of one of the SDK's records that say something else than the raw JSON, and those it lacks."""
    found = []
    for name, key in model.attribute_map.items():
        value, sent = getattr(model, name), raw.get(key)
        if hasattr(value, "attribute_map"):
            found += differences(value, sent, f"{at}{key}.")
        elif isinstance(value, list) and value and hasattr(value[0], "attribute_map"):
            pairs = zip(value, sent, strict=True)
            found += [one for number, pair in enumerate(pairs) for one in differences(*pair, f"{at}{key}[{number}].")]
        elif value != sent:
            found.append(f"{at}{key}: {value!r} is not {sent!r}")
    return found


def compare(records, rows, key, what):
    """Holds the SDK's records against the archive's raw ones, in any order; returns how many fields were compared."""
    raws = {row["raw"][key]: row["raw"] for row in rows}
    assert len(records) == len(rows) == len(raws), (what, len(records), len(rows))
    fields = 0
    for record in records:
        found = differences(record, raws.pop(getattr(record, "instance_id" if what == "instances" else "id")))
        assert not found, (what, found)
        fields += len(record.attribute_map)
    assert not raws, (what, list(raws))
    return fields


def check(dcs, program, archive):
    """Lists everything with a client, in pages of several sizes, and compares it with the archive."""
    rows = archived(program, archive, "SELECT raw FROM instance_revisions WHERE is_current = 1")
    last, instances = pages(dcs.list_instances, ListInstancesRequest(), "instances", 5)
    assert last.instance_num == INSTANCES == len(rows), (last.instance_num, len(rows))
    fields = compare(instances, rows, "instance_id", "instances")
    tasks = 0
    for number, instance in enumerate(instances):
        where = f"instance_id = '{instance.instance_id}' AND is_current = 1"
        rows = archived(program, archive, f"SELECT raw FROM task_revisions WHERE {where}")
        request = ListBackgroundTaskRequest(instance_id=instance.instance_id)
        last, records = pages(dcs.list_background_task, request, "tasks", [1000, 20, 19, 57][number % 4])
        # The SDK makes text of the count, as it documents it.
        assert last.task_count == str(TASKS), last.task_count
        fields += compare(records, rows, "id", "tasks")
        tasks += len(records)
        newest_first = [record.created_at for record in records]
        assert newest_first == sorted(newest_first, reverse=True), instance.instance_id
        check_bounds(dcs, instance.instance_id, records)
    assert tasks == INSTANCES * TASKS, tasks
    return tasks, fields


def check_bounds(dcs, instance, records):
    """The SDK's `start_time` and `end_time` bound the list, and without a limit it gets ten records."""
    def compact(time):
        return "".join(letter for letter in time[:19] if letter.isdigit())

    newest, oldest = compact(records[10].created_at), compact(records[30].created_at)
    request = ListBackgroundTaskRequest(instance_id=instance, start_time=oldest, end_time=newest)
    answer = dcs.list_background_task(request)
    expected = [record.id for record in records if oldest <= compact(record.created_at) <= newest]
    assert answer.task_count == str(len(expected)), (answer.task_count, len(expected))
    assert [record.id for record in answer.tasks] == expected[:10], instance


def refused(call, status, code, text):
    """Says whether a call is refused so, as the SDK reads the refusal."""
    try:
        call()
    except ClientRequestException as error:
        got = (error.status_code, error.error_code, text in error.error_msg)
        assert got == (status, code, True), (error.status_code, error.error_code, error.error_msg)
        assert error.request_id, "the SDK found no id of the request"
        return 1
    raise AssertionError(f"not refused with {code}")


def check_refusals(ready, keys):
    """What is wrong is refused in words and forms that the SDK understands."""
    project = ready["project_id"]
    good = client(BasicCredentials(keys["ak"], keys["sk"], project), ready)
    absent = ListBackgroundTaskRequest(instance_id="00000000-0000-4000-8000-000000000000")
    checked = refused(lambda: good.list_background_task(absent), 404, "DCS.3022", "does not exist")
    over = ListInstancesRequest(limit=1001)
    checked += refused(lambda: good.list_instances(over), 400, "DCS.4062", "limit")
    elsewhere = client(BasicCredentials(keys["ak"], keys["sk"], "0" * 32), ready)
    checked += refused(lambda: elsewhere.list_instances(ListInstancesRequest()), 401, "DCS.1004", "does not match")
    unknown = client(BasicCredentials("SIMUNKNOWN", keys["sk"], project), ready)
    checked += refused(lambda: unknown.list_instances(ListInstancesRequest()), 401, "APIGW.0301", "ak not exist")
    for region, text in [("sim-2", "Multiple project ids found"), ("sim-9", "Failed to get project id")]:
        credentials = BasicCredentials(keys["ak"], keys["sk"]).with_iam_endpoint(ready["iam_endpoint"])
        try:
            client(credentials, ready, region)
        except SdkException as error:
            assert text in str(error.error_msg), error
            checked += 1
        else:
            raise AssertionError(f"{region} was found")
    # This comes last, for it locks the key: more than five failures in a row do.
    wrong = client(BasicCredentials(keys["ak"], keys["sk"][::-1], project), ready)
    for _ in range(6):
        checked += refused(lambda: wrong.list_instances(ListInstancesRequest()), 401, "APIGW.0301", "verify aksk")
    checked += refused(lambda: good.list_instances(ListInstancesRequest()), 401, "APIGW.0301", "reach the limit")
    return checked


def run(program, folder, cloud):
    ready = json.loads(cloud.stdout.readline())
    keys = json.loads(Path(ready["credentials_file"]).read_text(encoding="utf-8"))
    archive = make_archive(program, folder, ready)

    credentials = BasicCredentials(keys["ak"], keys["sk"]).with_iam_endpoint(ready["iam_endpoint"])
    by_key = client(credentials, ready, ready["region"])
    assert credentials.project_id == ready["project_id"], credentials.project_id
    tasks, fields = check(by_key, program, archive)

    # Without a key the SDK asks the metadata service, whose address is fixed on an ECS.
    MetadataAccessor._METADATA_ENDPOINT = ready["metadata_endpoint"]
    agency = BasicCredentials(project_id=ready["project_id"])
    by_agency = client(agency, ready)
    more_tasks, more_fields = check(by_agency, program, archive)
    assert agency.security_token and agency.ak != keys["ak"], "no temporary keys were used"

    refusals = check_refusals(ready, keys)
    print(
        f"vendor SDK: {INSTANCES} instances and {tasks + more_tasks} tasks by two kinds of keys, "
        f"{fields + more_fields} fields as archived, {refusals} refusals understood"
    )


def main():
    program, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    folder.mkdir(parents=True)
    command = [program, "simulate", "-q", "--speed", "0", "--dir", folder / "simulated"]
    command += ["--instances", str(INSTANCES), "--tasks", str(TASKS)]
    cloud = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        run(program, folder, cloud)
    finally:
        cloud.terminate()
        cloud.wait(timeout=30)


main()
