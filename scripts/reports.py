"""What Common Test's reports say: scripts/totals and scripts/platforms read them."""
import glob
import os
import re
from xml.etree import ElementTree


def runs(logs):
    """The directories of the runs that came to their end, the newest last: a report is written then."""
    reports = glob.glob(f"{logs}/ct_run.*/junit_report.xml")
    return [os.path.dirname(report) for report in sorted(reports, key=os.path.getmtime)]


def cases(run):
    """(suite, group, case, "passed" | "failed" | "skipped", reason, seconds) of each case. What goes before
    and after cases counts only if it fails."""
    for suite in ElementTree.parse(f"{run}/junit_report.xml").iter("testsuite"):
        for case in suite.iter("testcase"):
            failure, skip = case.find("failure"), case.find("skipped")
            name, group = case.get("name"), case.get("group")
            if failure is None and re.match("(init|end)_per_(suite|group)$", name):
                continue
            if failure is not None:
                verdict, reason = "failed", failure.text
            elif skip is not None:
                verdict, reason = "skipped", skip.text
            else:
                verdict, reason = "passed", None
            yield suite.get("name"), group, name, verdict, reason or "", float(case.get("time"))
