// Calls may be made before spira.js has arrived: they are kept in these lists until then.
window.analytics = window.analytics || [];
window.spira = window.spira || [];

const track = (...call) => window.analytics.push(["track", ...call]);
const consent = (choices) => window.spira.push(["consent", choices]);
const by = (id) => document.getElementById(id);
const say = (text) => { by("said").textContent = text; };

const item = { product_id: "filter", name: "Water filter", price: 58, quantity: 1, currency: "CNY" };
track("Product Viewed", item);
by("add").addEventListener("click", () => { track("Product Added", item); say("It is in your basket."); });
by("buy").addEventListener("click", () => {
  track("Order Completed", { order_id: `web-${Date.now()}`, revenue: 58, currency: "CNY", products: [item] });
  say("Thank you.");
});

by("member").addEventListener("submit", (event) => {
  event.preventDefault();
  const email = by("email").value;
  window.analytics.push(["identify", { email }]);
  if (by("news").checked) consent({ marketing: { email: true } });
  say("Welcome.");
});

// The banner: shown to who has not chosen yet. spira.choices() tells what was chosen before.
const choose = (choices) => { consent(choices); by("banner").hidden = true; };
by("yes").addEventListener("click", () => choose({ analytics: true }));
by("no").addEventListener("click", () => choose({ analytics: false }));
by("withdraw").addEventListener("click", () => { consent({ analytics: false }); say("Nothing is measured any more."); });
const script = document.querySelector("script[data-key]");
const ask = () => { by("banner").hidden = window.spira.choices() !== null; };
if (window.spira.choices) ask();
else script.addEventListener("load", ask);
