/// Finds what somebody probably meant to write.
enum NearestKey {
    /// The candidate with the fewest typing mistakes to `word`, unless all are too far off to be meant.
    static func find(_ word: String, among candidates: [String]) -> String? {
        // `maxConnections` and `max-connections` are meant as well as `max_connection`.
        let key = normalized(word)
        let best = candidates.map { (name: $0, distance: distance(key, normalized($0))) }.min {
            $0.distance < $1.distance
        }
        if let best, best.distance <= max(1, min(key.count, best.name.count) / 3) { return best.name }
        // `watch` for `watches`, `rows_per_task` for `max_rows_per_task`.
        guard key.count >= 4 else { return nil }
        return candidates.first { candidate in
            let other = normalized(candidate)
            return other.starts(with: key) || other.reversed().starts(with: key.reversed())
        }
    }

    private static func normalized(_ word: String) -> [Character] {
        word.prefix(64).lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }.map { $0 }
    }

    /// Insertions, deletions, replacements and swaps of neighbours that make one of the other.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}
