"""Reads a metrics file as Prometheus' own client does, strictly, and checks what its names promise.

Usage: metrics.py FILE
"""

import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families


def main():
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    families = list(text_string_to_metric_families(text))
    assert len(families) > 10, families
    for family in families:
        assert family.name.startswith("dcs_history_"), family
        assert family.type == "gauge" and family.documentation and family.samples, family
        for sample in family.samples:
            assert set(sample.labels) <= {"project_id"}, sample
    values = {family.name: family.samples[0].value for family in families}
    assert values["dcs_history_healthy"] in (0.0, 1.0)
    assert values["dcs_history_instances"] == 2.0, values
    assert values["dcs_history_tasks"] > 0.0, values
    print(f"{len(families)} metrics read")


main()
