/// Why no complete answer arrived.
///
/// A 4xx or 5xx is an answer and never becomes a `TransportError`: only the caller knows whether a 404 is bad news.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What went wrong.
    public enum Kind: String, Sendable, CaseIterable {
        case badURL, badHeader, couldNotResolve, couldNotConnect, proxy, tls, connectTimedOut, stalled, connectionLost,
            responseTooLarge, malformedResponse, bodySource, cancelled, shutDown, other
    }

    /// How far the request came, which decides whether it may be sent again.
    public enum Reach: String, Sendable {
        /// No byte of the request left: sending it again is always safe.
        case notSent
        /// The server may have the request, and may have acted on it.
        case maySent
    }

    public let kind: Kind
    public let reach: Reach
    /// What happened in words, such as libcurl's "Could not resolve host".
    ///
    /// Never holds a header: they carry the key.
    public let message: String
    /// The address without user, password, query and fragment.
    public let url: String

    /// Creates an error for a request to `url`, of which only what is no secret is kept.
    public init(_ kind: Kind, reach: Reach, message: String, url: String) {
        self.kind = kind
        self.reach = reach
        self.message = message
        self.url = Self.withoutSecrets(url)
    }

    public var description: String {
        let may = reach == .maySent ? " (the server may have acted on it)" : " (nothing was sent)"
        return "\(url): \(message)\(may): \(hint)"
    }

    /// What to do about it.
    public var hint: String {
        switch kind {
        case .badURL: "give a whole http:// or https:// address"
        case .badHeader: "take control characters and line ends out of the API key file and the user agent"
        case .couldNotResolve: "check the name and the machine's DNS"
        case .couldNotConnect, .connectTimedOut: "check the address, the route and the firewall"
        case .proxy: "check the proxy setting and the https_proxy variable"
        case .tls: "check the clock, and set ca_file if the certificate is from an authority of your own"
        case .stalled, .connectionLost: "it is tried again as far as that is safe; check the network if it stays"
        case .responseTooLarge: "ask for less, or raise the response limit"
        case .malformedResponse: "check that the address is the API's and not a portal's or proxy's"
        case .bodySource: "let the file alone while it is sent, and check that it can be read"
        case .cancelled, .shutDown: "nothing, it was asked for"
        case .other: "see the message"
        }
    }

    /// A message of libcurl without the user and password of an address in it, such as a proxy's.
    package static func withoutCredentials(_ message: String) -> String {
        var words: [Substring] = []
        for word in message.split(separator: " ", omittingEmptySubsequences: false) {
            guard let at = word.lastIndex(of: "@") else {
                words.append(word)
                continue
            }
            let start = word.firstRange(of: "://")?.upperBound ?? word.firstIndex { $0 != "'" } ?? word.startIndex
            words.append(word[..<min(start, at)] + word[word.index(after: at)...])
        }
        return words.joined(separator: " ")
    }

    /// The address as far as it may be shown.
    package static func withoutSecrets(_ url: String) -> String {
        // By scalars: a mark that combines with the question mark before it would hide it.
        var shown = url.unicodeScalars.prefix { $0 != "?" && $0 != "#" }
        if let scheme = shown.firstRange(of: "://".unicodeScalars) {
            let rest = shown[scheme.upperBound...]
            let authority = rest.prefix { $0 != "/" }
            if let at = authority.lastIndex(of: "@") {
                shown = shown[..<scheme.upperBound] + rest[rest.index(after: at)...]
            }
        } else if let at = shown.lastIndex(of: "@") {
            shown = shown[shown.index(after: at)...]
        }
        return String(shown)
    }
}
