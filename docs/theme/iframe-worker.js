// A worker in a hidden frame: browsers refuse real ones to pages opened from a folder, and the search needs one.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.waiting = [];
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      this.inside = frame.contentWindow;
      this.inside.postMessage = (data) => this.tell(this, data);
      this.inside.importScripts = (...urls) =>
        urls.reduce((before, one) => before.then(() => this.load(one, url)), Promise.resolve());
      this.ready = this.load(url, location.href);
    }

    load(url, base) {
      const script = this.inside.document.createElement("script");
      script.src = new URL(url, new URL(base, location.href)).href;
      return new Promise((done, failed) => {
        script.onload = done;
        script.onerror = failed;
        this.inside.document.body.append(script);
      });
    }

    // Both sides hear a message later than it was sent, as from a real worker.
    tell(who, data) {
      setTimeout(() => {
        const event = new MessageEvent("message", { data });
        if (who.onmessage) who.onmessage(event);
        who.dispatchEvent(event);
      });
    }

    postMessage(data) {
      this.ready.then(() => this.tell(this.inside, data));
    }

    terminate() {
      this.inside.frameElement.remove();
    }
  };
}
