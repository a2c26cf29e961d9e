import Control
import Model
import NIOHTTP1

/// Who may ask, as long as there are no users and passwords: this machine, and no web page that a browser on it happens to show.
///
/// - The `Host` header must be a loopback name, so that a name an attacker points at 127.0.0.1 (DNS rebinding) is of no use.
/// - Nothing must come from a page of a foreign `Origin`, nor be fetched for one (`Sec-Fetch-Site`, W3C Fetch Metadata): such a page could
///   not read an answer, but could keep the broker busy with its questions.
/// - What carries a body must be declared JSON: a browser sends that across origins only after a preflight, which is never granted here
///   (no CORS headers are sent).
enum Access {
    /// The refusal a request head earns, or nil when it may go on.
    static func refusal(of head: HTTPRequestHead) -> Answer? {
        let hosts = head.headers["host"]
        guard hosts.count == 1 else {
            return .refusal(.invalid, "send exactly one Host header", status: .badRequest)
        }
        guard isLoopback(authority: hosts[0]) else {
            let message =
                "Host '\(hosts[0].prefix(200))' is not this machine: the admin door answers to 127.0.0.1, [::1] and localhost only"
            return .refusal(.invalid, message, status: .forbidden)
        }
        for origin in head.headers["origin"] where origin != "http://\(hosts[0])" {
            return .refusal(.invalid, "requests from the web page '\(origin.prefix(200))' are not accepted", status: .forbidden)
        }
        for site in head.headers["sec-fetch-site"] where site == "cross-site" || site == "same-site" {
            return .refusal(.invalid, "requests on behalf of another site's web page are not accepted", status: .forbidden)
        }
        guard head.method == .POST else { return nil }
        guard let type = head.headers.first(name: "content-type"), isJSON(type) else {
            return .refusal(.invalid, "send the body as 'Content-Type: application/json'", status: .unsupportedMediaType)
        }
        return nil
    }

    /// `HOST` or `HOST:PORT`, as RFC 9110 writes the Host header.
    static func isLoopback(authority: String) -> Bool {
        if let address = try? HostPort(authority) { return address.isLoopback }
        let bare = authority.hasPrefix("[") && authority.hasSuffix("]") ? String(authority.dropFirst().dropLast()) : authority
        return HostPort(host: bare, port: 0).isLoopback
    }

    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" && $0 != " " }
        return type.lowercased() == "application/json"
    }
}
