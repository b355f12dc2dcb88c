// Spira in a web page: <script src="https://…/spira.js" data-key="wk_…"></script>
// It offers window.analytics (Segment's calls) and window.spira.consent, and loads analytics-next when it may.
// Where the source waits for consent, nothing is kept, sent or loaded before spira.consent({analytics: true}).
(function (window, document) {
  "use strict";

  var WAITING = "{waiting}"; // checksums of the keys whose pages wait for consent
  var CLIENT = "{client}";
  var MOST = 500; // calls that are kept in memory until they may be sent

  var script = document.currentScript || document.querySelector("script[data-key][src*='/spira.js']");
  if (!script || (window.spira && window.spira.version)) return;
  var key = script.getAttribute("data-key") || "";
  if (!key) console.error("[spira] the script has no data-key, so nothing can be sent");
  var base = script.src.replace(/\/spira\.js([?#].*)?$/, "");
  var REMEMBERED = "spira:consent:" + key;
  var CALLS = ["track", "page", "identify", "group", "alias", "screen"];
  var OTHERS = ["ready", "on", "once", "off", "reset", "setAnonymousId", "trackLink", "trackClick", "trackForm",
    "trackSubmit", "pageview", "register", "deregister", "addSourceMiddleware", "addIntegrationMiddleware",
    "addDestinationMiddleware", "debug", "queryString", "timeout", "use"];

  var before = [window.analytics, window.spira];
  var answer = remembered(); // what was chosen: {analytics: true, marketing: {email: false}}
  var asks = WAITING.indexOf(checksum(key)) >= 0 || script.getAttribute("data-consent") === "first";
  var state = "waiting"; // waiting, loading, running, stopped
  var queue = [];
  var later = []; // consent calls that came while the client was being loaded
  var real = null;
  var paged = script.getAttribute("data-page") === "no";

  var analytics = { _cdn: base, _writeKey: key, instance: null, push: push };
  CALLS.concat(OTHERS).forEach(function (name) {
    analytics[name] = function () {
      var given = Array.prototype.slice.call(arguments);
      if (state === "running") return real[name].apply(real, given);
      if (name === "group" && !given.length) return undefined;
      if (state === "stopped") return Promise.resolve();
      return new Promise(function (done) {
        if (queue.length < MOST) queue.push([name, given, done]);
        else done();
      });
    };
  });
  analytics.user = function () { return state === "running" ? real.user() : undefined; };
  analytics.consent = consent;

  window.analytics = analytics;
  window.spira = { version: 1, consent: consent, choices: choices, analytics: analytics, push: push };
  before.forEach(function (calls) {
    if (calls && typeof calls.length === "number") Array.prototype.forEach.call(calls, push);
  });
  if (answer && answer.analytics === false) state = "stopped";
  else if (state === "waiting" && (!asks || (answer && answer.analytics === true))) start();

  function push(call) {
    if (call && typeof analytics[call[0]] === "function")
      return analytics[call[0]].apply(analytics, Array.prototype.slice.call(call, 1));
  }

  // Whatever was chosen before, or null: a page that gets null asks.
  function choices() { return answer && JSON.parse(JSON.stringify(answer)); }

  // Takes what the person allows: {analytics: true, marketing: false} or {marketing: {email: true, sms: false}}.
  function consent(told) {
    if (!told || typeof told !== "object") return Promise.reject(new TypeError("spira.consent takes an object"));
    if (state === "loading")
      return new Promise(function (done) { later.push([told, done]); });
    var old = flat(answer || {});
    var next = Object.assign({}, answer, told);
    var refused = next.analytics === false;
    answer = next;
    if (refused && state !== "running") {
      remember();
      queue = [];
      state = "stopped";
      return Promise.resolve();
    }
    if (asks && next.analytics !== true && state !== "running") return Promise.resolve();
    remember();
    var said = flat(next);
    var words = Object.keys(said).filter(function (name) { return said[name] !== old[name]; });
    if (state === "running") {
      var sending = Promise.all(words.map(function (name) { return say(name, said[name]); }));
      if (!refused) return sending;
      state = "stopped";
      return sending.then(silence, silence);
    }
    if (state === "stopped" && real) {
      CALLS.forEach(function (name) { delete real[name]; });
      state = "running";
      return Promise.all(words.map(function (name) { return say(name, said[name]); }));
    }
    return start(words.map(function (name) { return [name, said[name]]; }));
  }

  function say(name, value) {
    var parts = name.split("/");
    return real.track(value ? "Consent Given" : "Consent Withdrawn", { purpose: parts[0], channel: parts[1] });
  }

  function flat(told) {
    var found = {};
    Object.keys(told).forEach(function (purpose) {
      var value = told[purpose];
      if (typeof value === "boolean") found[purpose + "/web"] = value;
      else if (value && typeof value === "object")
        Object.keys(value).forEach(function (channel) {
          if (typeof value[channel] === "boolean") found[purpose + "/" + channel] = value[channel];
        });
    });
    return found;
  }

  function start(words) {
    state = "loading";
    return new Promise(function (done) {
      var added = document.createElement("script");
      added.src = base + CLIENT;
      added.async = true;
      if (script.nonce) added.nonce = script.nonce;
      added.onerror = function () {
        state = "waiting";
        console.error("[spira] " + added.src + " could not be loaded; nothing is sent");
        done();
      };
      added.onload = function () { load(words || []).then(done); };
      (document.head || document.documentElement).appendChild(added);
    });
  }

  function load(words) {
    var address = /^(https?):\/\/(.*)$/.exec(base);
    var destination = { apiKey: key, apiHost: address[2] + "/v1", protocol: address[1],
      deliveryStrategy: script.getAttribute("data-batch") === "yes"
        ? { strategy: "batching", config: { size: 20, timeout: 3000, keepalive: true } }
        : { strategy: "standard", config: { keepalive: true } } };
    return window.AnalyticsNext.AnalyticsBrowser.load({
      writeKey: key, cdnURL: base,
      cdnSettings: { integrations: { "Segment.io": destination }, metrics: { sampleRate: 0 } }
    }).then(function (loaded) {
      real = analytics.instance = loaded[0];
      var refusal = later.some(function (each) { return each[0] && each[0].analytics === false; });
      if (refusal && !(answer && answer.analytics === true)) { // refused before anything was sent: nothing is
        queue = [];
        state = "waiting";
        later.splice(0).forEach(function (each) { consent(each[0]).then(each[1], each[1]); });
        if (state === "stopped") silence();
        return;
      }
      state = "running";
      words.forEach(function (each) { say(each[0], each[1]); });
      if (!paged && !refusal) real.page();
      paged = true;
      queue.splice(0).forEach(function (call) {
        if (refusal && CALLS.indexOf(call[0]) >= 0) call[2]();
        else Promise.resolve(real[call[0]].apply(real, call[1])).then(call[2], call[2]);
      });
      later.splice(0).forEach(function (each) { consent(each[0]).then(each[1], each[1]); });
    }).catch(function (fault) {
      state = "waiting";
      console.error("[spira]", fault);
    });
  }

  // After a refusal: no more calls, also of listeners that were attached before, and nothing left behind.
  function silence() {
    CALLS.forEach(function (name) { real[name] = function () { return Promise.resolve(); }; });
    real.reset();
    wipe();
    window.addEventListener("pagehide", wipe);
  }

  function wipe() {
    if (state !== "stopped") return;
    try {
      Object.keys(window.localStorage).forEach(function (name) {
        if (name.indexOf("ajs_") === 0 || name.indexOf("persisted-queue:") === 0) window.localStorage.removeItem(name);
      });
    } catch (_) { /* storage may be forbidden */ }
    var parts = window.location.hostname.split(".");
    document.cookie.split(";").forEach(function (pair) {
      var name = pair.split("=")[0].trim();
      if (name.indexOf("ajs_") !== 0) return;
      for (var from = 0; from < parts.length; from += 1)
        document.cookie = name + "=; path=/; max-age=0; domain=" + parts.slice(from).join(".");
      document.cookie = name + "=; path=/; max-age=0";
    });
  }

  function remembered() {
    try { return JSON.parse(window.localStorage.getItem(REMEMBERED)); } catch (_) { return null; }
  }

  function remember() {
    try { window.localStorage.setItem(REMEMBERED, JSON.stringify(answer)); } catch (_) { /* asked again next time */ }
  }

  function checksum(text) {
    var found = 0x811c9dc5;
    for (var at = 0; at < text.length; at += 1) found = Math.imul(found ^ text.charCodeAt(at), 0x01000193);
    return ("0000000" + (found >>> 0).toString(16)).slice(-8);
  }
})(window, document);
