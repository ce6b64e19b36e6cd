"""Where something can be typed, ticked or chosen is seen against its page, in both themes."""

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.versioning.admin.conftest import recommend

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

LEAST = 3
"""To 1, as WCAG 1.4.11 asks for the borders of controls; axe looks at text alone."""

FAINT = """
least => {
  const canvas = document.createElement('canvas');
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const over = (colours) => {
    pen.clearRect(0, 0, 1, 1);
    for (const each of colours) { pen.fillStyle = each; pen.fillRect(0, 0, 1, 1); }
    const [red, green, blue] = [...pen.getImageData(0, 0, 1, 1).data].map(part => {
      const share = part / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = element => {
    const found = [];
    for (let each = element.parentElement; each; each = each.parentElement)
      found.unshift(getComputedStyle(each).backgroundColor);
    return found;
  };
  const kinds = 'input:not([type=hidden]):not([type=submit]), select, textarea, .select2-selection';
  const told = [];
  for (const control of document.querySelectorAll(kinds)) {
    if (control.matches('.select2-hidden-accessible, .select2-search__field')) continue;
    if (!control.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const style = getComputedStyle(control);
    const framed = control.closest('.select2-container')
      || (style.borderTopWidth === '0px' ? control.parentElement : control);
    const page = behind(framed);
    const [edge, ground] = [over([...page, getComputedStyle(framed).borderTopColor]), over(page)];
    const ratio = (Math.max(edge, ground) + 0.05) / (Math.min(edge, ground) + 0.05);
    const filled = over([...page, style.backgroundColor]);
    const fill = (Math.max(filled, ground) + 0.05) / (Math.min(filled, ground) + 0.05);
    const named = `${control.tagName} ${control.type || ''} ${control.name || control.className}`;
    if (Math.max(ratio, fill) < least)
      told.push(`${location.pathname}: ${named}: ${ratio.toFixed(1)}`);
  }
  return told;
}
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_each_control_is_seen(page: Page, dark: bool) -> None:
    record = recommend()
    page.emulate_media(reduced_motion="reduce")
    addresses = [
        reverse("admin:versioning_policy_add"),
        reverse("admin:versioning_apikey_add"),
        reverse("admin:versioning_webhook_add"),
        reverse("admin:versioning_freeze_add"),
        reverse("admin:versioning_evaluationsuite_add"),
        reverse("admin:versioning_trackedmodel_add"),
        reverse("admin:versioning_upgraderecord_reject", args=[record.pk]),
        reverse("admin:versioning_upgraderecord_changelist"),
        reverse("admin:versioning_trackedmodel_change", args=[record.tracked_model_id]),
    ]
    faint = []
    for address in addresses:
        page.goto(address)
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", dark)
        page.wait_for_timeout(400)  # colours of widgets go over into each other
        faint += page.evaluate(FAINT, LEAST)
    assert "\n".join(faint) == ""
