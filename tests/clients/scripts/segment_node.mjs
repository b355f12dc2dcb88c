// What a user of @segment/analytics-node writes. Arguments: address, write key, what to do.
import { Analytics } from "@segment/analytics-node";

const [place, writeKey, what] = process.argv.slice(2);
const failed = [];
const analytics = new Analytics({ writeKey, host: place, maxRetries: 4, flushAt: what === "many" ? 50 : 15 });
analytics.on("error", (error) => failed.push(String(error.reason ?? error.code)));

const userId = "ann";
if (what === "all") {
  const anonymousId = "browser-7";
  analytics.identify({ userId, anonymousId, traits: { email: "ann@example.com", city: "Qingdao" } });
  analytics.track({ userId, event: "Order Completed", properties: { order_id: "A-1", revenue: 42.5 } });
  analytics.page({ userId, category: "Docs", name: "Home", properties: { url: "https://shop.example/" } });
  analytics.screen({ userId, name: "Home", properties: {} });
  analytics.group({ userId, groupId: "acme", traits: { name: "Acme" } });
  analytics.alias({ userId, previousId: anonymousId });
} else if (what === "many") {
  for (let number = 0; number < 230; number += 1)
    analytics.track({ userId: `p${number}`, event: "Order Completed", properties: { order_id: String(number) } });
} else {
  analytics.track({ userId, event: "Order Completed", properties: { order_id: "A-1" } });
}
await analytics.closeAndFlush({ timeout: 60000 });
console.log(JSON.stringify({ failed }));
