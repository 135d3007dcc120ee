"""The page in headless Chromium (Debian's package), as its readers use it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from result_fixture import Builder

from bench.contract.project import PROJECT
from reports.pages.render import write_report

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--no-first-run"]  # fmt: skip
PHONE, DESK = 380, 1280
SCREEN = 900
MOST_PAGES = 30


@dataclass
class Visit:
    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_report(Builder().write(tmp_path_factory.mktemp("browser") / "result")).path.as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing; install it: apt-get install -y chromium")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        yield running
        running.close()


def visit(browser: Browser, url: str, *, width: int = DESK, scheme: str = "light", script: bool = True) -> Visit:
    context = browser.new_context(
        viewport={"width": width, "height": SCREEN}, color_scheme=scheme, java_script_enabled=script  # type: ignore[arg-type]
    )  # fmt: skip
    seen = Visit(context.new_page(), url)
    seen.page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("dialog", lambda dialog: seen.complaints.append(f"dialog: {dialog.message}"))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(url)
    return seen


def draw_all(page: Page) -> None:
    """Bring every chart into view and wait until the one with hover stands there."""
    for chart in page.locator("[data-chart]").all():
        chart.scroll_into_view_if_needed()
        chart.locator(".vega-embed svg").wait_for(timeout=20_000)


def test_a_small_result_is_as_quiet(browser: Browser, tmp_path: Path) -> None:
    builder = Builder(sessions=1, budget="quick", tracks=("tuned",), engines=("prefect",), with_noise=False)
    seen = visit(browser, write_report(builder.write(tmp_path / "result")).path.as_uri())
    draw_all(seen.page)
    assert seen.complaints == []


def test_quiet_and_offline(browser: Browser, url: str) -> None:
    seen = visit(browser, url)
    draw_all(seen.page)
    assert seen.complaints == []
    assert [request for request in seen.requests if not request.startswith(("data:", "blob:"))] == [url]


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_charts_are_drawn_and_tables_stand(browser: Browser, url: str, script: bool) -> None:
    page = visit(browser, url, script=script).page
    if script:
        draw_all(page)
    charts = page.locator("[data-chart]")
    assert charts.count() == 9
    for chart in charts.all():
        assert chart.locator("svg .mark-rect path, svg .mark-symbol path").count() > 2
        box = chart.locator("svg").first.bounding_box()
        assert box is not None
        assert box["width"] > 300
        assert box["height"] > 50
    assert page.locator("#table-scorecard tbody tr").count() > 15
    assert page.locator("#table-served tbody tr").count() > 4


def test_heat_map_can_show_only_what_differs_from_the_documentation(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    rows = page.locator(".heatmap tbody tr:not(.group):visible")
    every = rows.count()
    page.locator("#differing").click()
    assert page.locator("#differing").get_attribute("aria-pressed") == "true"
    shown = [row.get_attribute("id") for row in rows.all()]
    assert shown == ["heat-step_killed", "heat-scheduler_killed"]
    page.locator("input[name=engine][value=prefect]").uncheck()
    page.locator("input[name=engine][value=dagster]").uncheck()
    assert [row.get_attribute("id") for row in rows.all()] == ["heat-scheduler_killed"]
    for name in ("prefect", "dagster"):
        page.locator(f"input[name=engine][value={name}]").check()
    page.locator("#differing").click()
    assert rows.count() == every > len(shown)


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_timelines_are_folded_and_open_by_their_link(browser: Browser, url: str, script: bool) -> None:
    page = visit(browser, url, script=script).page
    panel = page.locator("#course-scheduler_killed")
    assert not panel.locator("svg").first.is_visible()
    if script:
        page.locator("#heat-scheduler_killed a", has_text="timeline").click()
    else:
        panel.locator("summary").click()
    drawings = panel.locator(".course svg")
    assert drawings.count() == 3
    for drawing in drawings.all():
        assert drawing.locator("rect.band").count() == 1
        box = drawing.bounding_box()
        assert box is not None
        assert box["height"] > 40
    assert panel.locator(".course[data-engine=dagster] path.limit").count() == 1
    assert panel.locator(".course[data-engine=airflow] path.point").count() == 2


def test_engine_filter_holds_for_timelines(browser: Browser, url: str) -> None:
    page = visit(browser, f"{url}#course-scheduler_killed").page
    shown = page.locator("#course-scheduler_killed .course:visible")
    assert shown.count() == 3
    page.locator("input[name=engine][value=dagster]").uncheck()
    assert shown.count() == 2


def test_heat_map_says_everything_without_javascript(browser: Browser, url: str) -> None:
    page = visit(browser, url, script=False).page
    assert not page.locator("#differing").is_visible()
    cell = page.locator("#heat-run_killed-airflow-tuned")
    assert cell.inner_text().startswith("– not applicable")
    cell.locator("summary").click()
    assert "alert(1)" in cell.inner_text()
    assert page.locator("#heat-scheduler_killed-dagster-tuned summary", has_text="differs").count() == 1


def test_nothing_hangs_on_javascript(browser: Browser, url: str) -> None:
    page = visit(browser, url, script=False).page
    assert page.locator("th button").count() == 0
    assert not page.locator(".filters").is_visible()
    page.locator("#transcript-1 summary").click()
    assert page.locator("#transcript-1 .cause").is_visible()


def order(page: Page) -> list[str]:
    return page.locator("#table-install tbody th").all_inner_texts()


def test_tables_sort_by_click_and_by_keyboard(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    header = page.locator("#table-install thead th").nth(1)
    before = order(page)
    header.locator("button").click()
    rising = order(page)
    assert rising == ["Prefect", "Dagster", "Apache Airflow"] != before
    assert header.get_attribute("aria-sort") == "ascending"
    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert order(page) == rising[::-1]
    assert header.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert header.get_attribute("aria-sort") is None
    assert order(page) == rising


def test_values_that_are_missing_sort_last_both_ways(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    button = page.locator("#table-recovery_s thead th", has_text="Dagster").locator("button")
    for _ in range(2):
        button.click()
        assert page.locator("#table-recovery_s tbody th").first.inner_text() == "An error that goes away"


def test_filter_hides_an_engine_everywhere_and_is_kept_in_the_address(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    draw_all(page)
    page.locator("input[name=engine][value=dagster]").uncheck()
    assert page.locator("[data-engine=dagster]:visible").count() == 0
    served = page.locator("#figure-makespan-served svg")
    served.get_by_text("Dagster, tuned").wait_for(state="detached")
    assert served.get_by_text("Prefect, tuned").count() == 1
    again = visit(browser, page.url).page
    assert not again.locator("input[name=engine][value=dagster]").is_checked()
    assert again.locator("#table-scorecard [data-engine=dagster]:visible").count() == 0
    again.locator("input[name=track][value=stock]").uncheck()
    assert again.locator("[data-track=stock]:visible").count() == 0


def test_filter_knows_an_engine_with_its_version(browser: Browser, tmp_path: Path) -> None:
    builder = Builder(engines=("airflow", "airflow@3.0.6", "prefect"), tracks=("tuned",))
    page = visit(browser, write_report(builder.write(tmp_path / "result")).path.as_uri()).page
    draw_all(page)
    page.locator("input[name=engine][value='airflow@3.0.6']").uncheck()
    assert page.locator("[data-engine='airflow@3.0.6']:visible").count() == 0
    assert page.locator("#table-served thead [data-engine=airflow]:visible").count() == 1
    lines = page.locator("#figure-scaling-served-tuned svg .mark-line path")
    page.wait_for_function(
        "() => document.querySelectorAll('#figure-scaling-served-tuned svg .mark-line path').length === 4"
    )
    assert lines.count() == 4, "two engines, two panels"
    again = visit(browser, page.url).page
    assert not again.locator("input[name=engine][value='airflow@3.0.6']").is_checked()
    assert again.locator("[data-engine='airflow@3.0.6']:visible").count() == 0


def test_an_outlier_is_ringed_and_told(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    draw_all(page)
    rings = page.locator("#figure-makespan-served svg .mark-symbol path[stroke='var(--ink)']")
    assert rings.count() >= 1
    rings.last.hover(force=True)
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert "outlier, kept" in page.locator("#vg-tooltip-element").inner_text()


def test_hover_tells_the_sample(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    draw_all(page)
    page.locator("#figure-makespan-served svg .mark-symbol path").first.hover(force=True)
    tip = page.locator("#vg-tooltip-element.visible")
    tip.wait_for()
    assert "session" in tip.inner_text()


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without JavaScript"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_phone_has_no_sideways_scroll(browser: Browser, url: str, scheme: str, script: bool) -> None:
    page = visit(browser, url, width=PHONE, scheme=scheme, script=script).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE
    size = page.evaluate("parseFloat(getComputedStyle(document.querySelector('main p')).fontSize)")
    assert size >= 14


CONTRAST = """() => {
  const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const page = light(getComputedStyle(document.body).backgroundColor);
  const between = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const ratio = (colour) => between(light(colour), page);
  const css = getComputedStyle(document.documentElement);
  const found = {};
  const names = ['ink', 'quiet', 'link', 'k', 's', 'c', 'f', 'd', 'baseline', 'ok', 'bad', 'killed'];
  for (const place of [1, 2, 3, 4, 5, 6]) names.push('engine-' + place);
  for (const name of names) found[name] = ratio(css.getPropertyValue('--' + name));
  found['chart text'] = ratio(getComputedStyle(document.querySelector('[data-chart] svg text')).fill);
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(browser: Browser, url: str, scheme: str) -> None:
    """Text 4.5 to 1, marks 3 to 1 (WCAG AA), on the page's own background."""
    page = visit(browser, url, scheme=scheme).page
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 24, 23)"
    assert dark is (scheme == "dark")
    for name, ratio in page.evaluate(CONTRAST).items():
        mark = name.startswith("engine") or name in ("baseline", "ok", "bad", "killed")
        assert ratio >= (3 if mark else 4.5), f"{name} has {ratio:.2f} in {scheme}"


def test_ids_are_unique_and_links_lead_somewhere(browser: Browser, url: str) -> None:
    page = visit(browser, url, script=False).page
    ids = page.locator("[id]").evaluate_all("found => found.map((element) => element.id)")
    assert len(ids) == len(set(ids))
    targets = page.locator("a[href^='#']").evaluate_all(
        "found => found.map((a) => decodeURIComponent(a.hash.slice(1)))"
    )
    assert set(targets) <= set(ids)


def test_print_keeps_what_is_folded_and_a_button_opens_all(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    folded = page.locator("details:not([open])").count()
    assert folded > 5
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == folded
    page.locator("#open-all").click()
    assert page.locator("details:not([open])").count() == 0
    page.locator("#open-all").click()
    assert page.locator("details[open]").count() == 0


def test_a_standard_report_prints_on_few_pages(browser: Browser, tmp_path: Path) -> None:
    """What is read at once, that is: everything else is folded, and still there."""
    kept = max((PROJECT / "reports" / "kept").glob("*-standard"))
    page = visit(browser, write_report(shutil.copytree(kept, tmp_path / "kept")).path.as_uri()).page
    printed = page.pdf(format="A4", margin=dict.fromkeys(("top", "bottom", "left", "right"), "1.5cm"))
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 5 <= pages <= MOST_PAGES


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [DESK, PHONE])
def test_axe_finds_no_serious_violation(browser: Browser, url: str, width: int, scheme: str) -> None:
    """https://dequeuniversity.com/rules/axe/; everything is opened, as it looks at nothing that is folded."""
    page = visit(browser, url, width=width, scheme=scheme).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = {
        one["id"]: [node["html"][:200] for node in one["nodes"][:3]]
        for one in found
        if one["impact"] in ("serious", "critical")
    }
    assert not serious


@pytest.mark.parametrize("width", [DESK, PHONE])
def test_a_result_of_one_question_opens_with_it(browser: Browser, tmp_path: Path, width: int) -> None:
    builder = Builder(groups=["recovery"], only=["recovery"])
    page = visit(browser, write_report(builder.write(tmp_path / "result")).path.as_uri(), width=width).page
    assert page.locator("main h2").first.get_attribute("id") == "recovery"
    matrix, verdicts = (page.locator(name).bounding_box() for name in ("#table-matrix", "#verdicts"))
    assert matrix is not None
    assert verdicts is not None
    assert matrix["y"] < SCREEN
    assert verdicts["y"] > matrix["y"]


def test_tables_of_many_metrics_have_their_arms_as_columns(browser: Browser, url: str) -> None:
    page = visit(browser, url).page
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    wide = page.locator("main table").evaluate_all(
        "found => found.filter((one) => one.offsetWidth > one.parentElement.clientWidth).map((one) => one.id)"
    )
    assert wide == []
    head = page.locator("#table-served thead th[data-engine]")
    assert head.count() == 6
    page.locator("input[name=engine][value=dagster]").uncheck()
    assert page.locator("#table-served [data-engine=dagster]:visible").count() == 0
    assert page.locator("#table-served tbody th:visible").count() > 4
