// Every text of the page: [its contrast with what is behind it (WCAG 2), its element, how it begins].
const parse = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
const linear = (part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
const luminance = (rgb) => rgb.map((part) => linear(part / 255))
  .reduce((sum, part, index) => sum + part * [0.2126, 0.7152, 0.0722][index], 0);
const ratio = (one, other) => {
  const [high, low] = [luminance(parse(one)), luminance(parse(other))].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const clear = (colour) => /rgba\(.*, 0\)/.test(colour);
const behind = (element) => {
  let at = element;
  while (at.parentElement && clear(getComputedStyle(at).backgroundColor)) at = at.parentElement;
  const found = getComputedStyle(at).backgroundColor;
  return clear(found) ? "rgb(255, 255, 255)" : found;
};
const says = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
return [...document.querySelectorAll("main *")]
  .filter((element) => says(element) && element.getClientRects().length)
  .map((element) => {
    const style = getComputedStyle(element);
    const ink = element.tagName === "text" ? style.fill : style.color;
    return [ratio(ink, behind(element)), element.tagName, element.textContent.trim().slice(0, 30)];
  });
