internal import Web

/// A request is answered only if it reads one of the resources, under a name of this machine, and brings nothing.
enum DoorTarget {
    static func run(_ input: [UInt8]) throws {
        let lines = input.split(separator: 0x0a, maxSplits: 3, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard lines.count == 4, let flags = lines[3].utf8.first else { return }
        let (method, target, host) = (lines[0], lines[1], lines[2])
        let hosts = [String](repeating: host, count: Int(flags & 3))
        let verdict = RequestJudge(loopback: "127.0.0.1").verdict(
            method: method, target: target, isOld: flags & 4 != 0, hostFields: hosts, hasBody: flags & 8 != 0)
        guard case .answer(let resource) = verdict else { return }
        try hold(method == "GET" || method == "HEAD", "\(method) is answered")
        try hold(flags & 8 == 0, "a body is taken")
        try hold(hosts.count == 1 || (hosts.isEmpty && flags & 4 != 0), "\(hosts.count) hosts are taken")
        // Said another way than the judge says it: by bytes, from the end.
        let path = target.utf8.prefix { $0 != UInt8(ascii: "?") }
        try hold(
            path.reversed().starts(with: resource.rawValue.utf8.reversed()) || path.contains(UInt8(ascii: ":")), target)
        let isWhole = ["http://", "https://"].contains { target.lowercased().utf8.starts(with: $0.utf8) }
        let named = isWhole ? target.lowercased() : hosts.first?.lowercased() ?? "localhost"
        try hold(["localhost", "127.0.0.1", "::1"].contains { named.contains($0) }, "\(named) is answered")
    }
}
