/// Decides what becomes of a request, from its head alone.
///
/// What can be asked for is read-only and of fixed names, so whatever is not exactly one of them is refused: nothing is
/// decoded, joined or looked up.
package struct RequestJudge: Sendable {
    /// What becomes of it.
    package enum Verdict: Sendable, Hashable {
        case answer(Resource)
        case refuse(Refusal)
    }

    /// Why there is no answer: a status of HTTP, and a line for people.
    package enum Refusal: Int, Sendable {
        case badRequest = 400
        case notFound = 404
        case wrongMethod = 405
        case bodyRefused = 413
        case wrongHost = 421

        var line: String {
            switch self {
            case .badRequest: "bad request"
            case .notFound: "not found: there are \(Resource.allCases.map(\.rawValue).joined(separator: " "))"
            case .wrongMethod: "method not allowed: GET and HEAD only, nothing can be changed here"
            case .bodyRefused: "a request has no body here"
            case .wrongHost: "this is not the host that was asked for: use localhost or the address itself"
            }
        }
    }

    /// The names under which it may be asked; `nil` for any.
    ///
    /// A page of anybody's in a browser on this machine may ask a port of this machine under a name that its owner points
    /// here (DNS rebinding), and would be let read the answer. The name is then still the owner's.
    private let hosts: Set<String>?

    /// - Parameter loopback: the host that is listened on, if only this machine can reach it; `nil` for one that others
    ///   reach, under names that nobody knows here.
    package init(loopback: String?) {
        hosts = loopback.map { Set([$0.lowercased(), "localhost", "127.0.0.1", "::1"]) }
    }

    /// - Parameters:
    ///   - method: as it was sent.
    ///   - target: of the request line: a path, or a whole address.
    ///   - isOld: whether HTTP/1.0 is spoken, where a host need not be named.
    ///   - hostFields: each header `Host`.
    ///   - hasBody: whether the head announces a body.
    /// - Returns: what is answered, or why nothing is.
    package func verdict(method: String, target: String, isOld: Bool, hostFields: [String], hasBody: Bool) -> Verdict {
        guard hostFields.count == 1 || (isOld && hostFields.isEmpty) else { return .refuse(.badRequest) }
        var path = Substring(target)
        var named = hostFields.first
        // As a proxy is asked, which takes precedence over the header (RFC 9112, 3.2.2).
        if let scheme = ["http://", "https://"].first(where: { path.lowercased().utf8.starts(with: $0.utf8) }) {
            // By bytes, here and below: a mark that combines with a slash would hide it.
            path = Substring(path.utf8.dropFirst(scheme.utf8.count))
            let end = path.utf8.firstIndex(of: UInt8(ascii: "/")) ?? path.endIndex
            named = String(path[..<end])
            path = end == path.endIndex ? "/" : path[end...]
        }
        if let hosts {
            // Who names no host is no browser.
            guard named.map({ hosts.contains(Self.host(of: $0)) }) ?? true else { return .refuse(.wrongHost) }
        }
        guard method == "GET" || method == "HEAD" else { return .refuse(.wrongMethod) }
        guard !hasBody else { return .refuse(.bodyRefused) }
        guard let resource = Resource(rawValue: Self.text(path, before: "?")) else { return .refuse(.notFound) }
        return .answer(resource)
    }

    private static func text(_ text: Substring, before mark: Unicode.Scalar) -> String {
        let mark = UInt8(ascii: mark)
        return String(decoding: text.utf8.prefix { $0 != mark }, as: UTF8.self)
    }

    /// `[::1]:9464` is `::1`, `LOCALHOST:9464` is `localhost`.
    private static func host(of field: String) -> String {
        let field = field.lowercased()
        if field.utf8.first == UInt8(ascii: "[") { return text(Substring(field.utf8.dropFirst()), before: "]") }
        return text(field[...], before: ":")
    }
}
