/// Both checks of one text, for tests that hold them against each other.
package enum JSONCheck {
    /// What a check says of a text.
    package enum Verdict: Hashable, Sendable {
        case valid
        /// Not JSON, whatever may follow.
        case malformed
        /// Right so far.
        case truncated
    }

    /// What the fast check says of a text that is all there is.
    package static func fast(_ text: [UInt8], depthLimit: Int = 64) -> Verdict {
        let padded = text + [UInt8](repeating: 0, count: JSONScanner.slack)
        return padded.withUnsafeBufferPointer { buffer in
            guard let bytes = buffer.baseAddress else { return .truncated }
            var members = JSONMembers()
            defer { members.deallocate() }
            let scanner = JSONScanner(bytes: bytes, end: text.count, isLast: true, depthLimit: depthLimit)
            var at = 0
            scanner.skipSpace(&at)
            var end = scanner.value(at: at, members: &members)
            if end == JSONScanner.incomplete { return .truncated }
            if end == JSONScanner.malformed { return .malformed }
            scanner.skipSpace(&end)
            return end == text.count ? .valid : .malformed
        }
    }

    /// What the check by bytes says, given the text in pieces; and where and why, if it is malformed.
    package static func slow(
        _ text: [UInt8], pieces: Int = .max, depthLimit: Int = 64
    ) -> (verdict: Verdict, at: Int?, fault: JSONFault?, pointer: String) {
        var skimmer = JSONSkimmer(depthLimit: depthLimit, tracksPath: true)
        var at = 0
        while at < text.count {
            let end = pieces < text.count - at ? at + pieces : text.count
            let outcome = text.withUnsafeBytes { skimmer.feed(UnsafeRawBufferPointer(rebasing: $0[at..<end])) }
            switch outcome {
            case .open: at = end
            case .fault(let index, let fault): return (.malformed, at + index, fault, skimmer.pointer)
            case .ended(let count):
                let rest = text[(at + count)...]
                if let stray = rest.firstIndex(where: { !$0.isJSONSpace }) {
                    return (.malformed, stray, .unexpectedByte, "")
                }
                return (.valid, nil, nil, "")
            }
        }
        return (skimmer.endsHere ? .valid : .truncated, nil, nil, skimmer.pointer)
    }
}
