/// A name by its bytes.
///
/// To Swift, `é` is the same text in each of Unicode's spellings; to the server they are two names, of two rows.
package struct ExactName: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: ExactName, right: ExactName) -> Bool {
        left.text.utf8.elementsEqual(right.text.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        for byte in text.utf8 { hasher.combine(byte) }
        hasher.combine(0xff as UInt8)
    }
}

extension Collection<ExactName> {
    /// Looks names up with something that takes all spellings of a text for one: never two of them at a time.
    package func lookedUp<Found>(
        _ find: ([String]) async throws -> [String: Found]
    ) async rethrows -> [ExactName: Found] {
        var found: [ExactName: Found] = [:]
        var rest = Array(self)
        while !rest.isEmpty {
            var seen = Set<String>()
            var later: [ExactName] = []
            let now = rest.filter { name in
                if seen.insert(name.text).inserted { return true }
                later.append(name)
                return false
            }
            let answer = try await find(now.map(\.text))
            for name in now { found[name] = answer[name.text] }
            rest = later
        }
        return found
    }
}
