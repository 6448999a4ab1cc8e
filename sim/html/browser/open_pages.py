"""Opens report pages in headless Chromium, uses them as a person would, and fails where one does not keep up.

    open_pages.py FOLDER

FOLDER holds hostile.html, broken.html and clean.html, as the test `pages_work_in_a_browser` writes them.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

DESKTOP = (1280, 900)
PHONE = (390, 844)


def browser(profile):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for argument in [
        "headless=new",
        "no-sandbox",
        "disable-gpu",
        "disable-quic",
        "no-first-run",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        f"user-data-dir={profile}",
    ]:
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(
        options=options,
        service=webdriver.ChromeService(shutil.which("chromedriver")),
    )


class Page:
    """A page that is open."""

    def __init__(self, driver, file, size=DESKTOP, dark=False):
        self.driver = driver
        width, height = size
        driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        scheme = "dark" if dark else "light"
        driver.execute_cdp_cmd(
            "Emulation.setEmulatedMedia",
            {"features": [{"name": "prefers-color-scheme", "value": scheme}]},
        )
        driver.get(file.as_uri())

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def background(self):
        return self.run("return getComputedStyle(document.body).backgroundColor")

    def check_fits(self):
        width = self.run("return document.documentElement.scrollWidth - innerWidth")
        assert width <= 0, f"{width} pixels too wide"

    def check_asked_nothing(self):
        """No network, nothing refused by the policy, no error in the script."""
        asked = self.run("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert all(name.startswith("data:") for name in asked), asked
        log = self.driver.get_log("browser")
        assert log == [], log


def names_are_shown_and_not_run(driver, folder):
    page = Page(driver, folder / "hostile.html")
    # What each of the names would throw is in the log where it runs.
    page.check_asked_nothing()
    assert page.driver.title.endswith("A <title> & more"), page.driver.title
    assert page.all("img") == [] and page.all("b[onmouseover]") == []
    wrong = [cell.text for cell in page.all(".keys tr.wrong th")]
    assert any(key.startswith("/</script><script>throw 1</script><b id=") for key in wrong), wrong
    assert "<img src=x onerror=throw(3)>" in page.one(".timeline summary").text
    page.one(".plot").click()
    page.one(".plot").send_keys(Keys.END)
    assert "set /! 1 B" in page.one(".told").text, page.one(".told").text
    page.check_fits()
    page.check_asked_nothing()


def a_finding_leads_to_its_evidence(driver, folder):
    page = Page(driver, folder / "broken.html")
    assert "break" in page.one(".headline").text
    finding = page.one(".finding")
    assert finding.find_element(By.TAG_NAME, "code").text.startswith("cutpoint replay two-values --state ")
    assert "inside operation 2" in finding.text, finding.text
    finding.find_element(By.LINK_TEXT, "The evidence").click()
    witness = page.one(".witness:target")
    top = page.run("return arguments[0].getBoundingClientRect().top", witness)
    assert 0 <= top < 300, top
    assert witness.find_elements(By.CSS_SELECTOR, ".writes .power") != []
    assert witness.find_elements(By.CSS_SELECTOR, ".log .new") != []
    copy = witness.find_element(By.CSS_SELECTOR, ".copy")
    copy.click()
    said = page.run("return new Promise((done) => setTimeout(() => done(arguments[0].textContent), 200))", copy)
    assert said in ("Copied", "Selected"), said
    page.check_asked_nothing()


def a_timeline_is_pointed_at_zoomed_and_walked(driver, folder):
    page = Page(driver, folder / "broken.html")
    plot = page.one(".plot")
    page.run("arguments[0].scrollIntoView({block: 'center'})", plot)

    def told():
        return page.one(".told").text

    def window():
        return float(page.one(".drawn").get_dom_attribute("viewBox").split()[2])

    # At first it tells of the first violation, with a link to its witness.
    assert page.one(".told .bad").text and page.one(".told a").get_attribute("href").endswith("#witness-0")
    before = told()
    ActionChains(driver).move_to_element_with_offset(plot, -200, 0).perform()
    pointed = told()
    assert pointed.startswith("Write ") and pointed != before, pointed
    whole = window()
    page.one("button[data-do=in]").click()
    assert window() < whole, "zoomed in"
    page.one("button[data-do=all]").click()
    assert window() == whole, "all of it again"

    plot.send_keys(Keys.HOME)
    assert told().startswith("Write 0: "), told()
    plot.send_keys(Keys.ARROW_RIGHT)
    assert told().startswith("Write 1: "), told()
    assert plot.get_attribute("aria-valuenow") == "1"
    assert plot.get_attribute("aria-valuetext").startswith("Write 1: ")
    plot.send_keys("+")
    assert window() < whole, "zoomed in by a key"
    plot.send_keys(Keys.END)
    low = float(page.one(".drawn").get_dom_attribute("viewBox").split()[0])
    assert low > 0, "the window follows"
    plot.send_keys("n")
    assert page.one(".told .bad").text, "the next violation"
    page.check_asked_nothing()


def the_theme_follows_the_system_and_the_button(driver, folder):
    page = Page(driver, folder / "clean.html", dark=False)
    light = page.background()
    button = page.one("#theme")
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    dark = page.background()
    assert dark != light and button.get_attribute("aria-pressed") == "true"
    assert Page(driver, folder / "clean.html", dark=True).background() == dark
    page.one("#theme").click()
    assert page.background() == light
    page.check_asked_nothing()


def everything_can_be_reached_and_has_a_name(driver, folder):
    page = Page(driver, folder / "clean.html")
    page.one("body").send_keys(Keys.TAB)
    assert page.run("return document.activeElement.textContent") == "Skip to the results"
    nameless = page.run(
        "return [...document.querySelectorAll('a, button, [role], [tabindex]')].filter((element) =>"
        " !element.textContent.trim() && !element.getAttribute('aria-label')).map((element) => element.outerHTML)"
    )
    assert nameless == [], nameless
    levels = page.run("return [...document.querySelectorAll('h1, h2, h3, h4, h5')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and all(b <= a + 1 for a, b in zip(levels, levels[1:])), levels
    assert page.all("#audit .syncs .ordering") != []


def pages_fit_a_phone(driver, folder):
    for name in ["hostile", "broken", "clean"]:
        page = Page(driver, folder / f"{name}.html", size=PHONE, dark=name == "broken")
        page.check_fits()
        page.check_asked_nothing()


def main():
    folder = Path(sys.argv[1]).resolve()
    checks = [
        names_are_shown_and_not_run,
        a_finding_leads_to_its_evidence,
        a_timeline_is_pointed_at_zoomed_and_walked,
        the_theme_follows_the_system_and_the_button,
        everything_can_be_reached_and_has_a_name,
        pages_fit_a_phone,
    ]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        driver = browser(profile)
        try:
            for check in checks:
                check(driver, folder)
                print(f"{check.__name__}: ok", flush=True)
        finally:
            driver.quit()


main()
