/// The name that a mistyped one most likely stands for.
enum NearestName {
    /// The nearest of `names`, compared without case and underscores; nil when none is near.
    static func of(_ name: String, among names: [String]) -> String? {
        let wanted = plain(name)
        guard wanted.count <= 64 else { return nil }
        let best = names.map { (name: $0, distance: distance(wanted, plain($0))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= max(1, wanted.count / 3) else { return nil }
        return best.name
    }

    private static func plain(_ name: String) -> [UInt8] {
        name.utf8.filter { $0 != 0x5f && $0 != 0x2d }.map { $0 >= 0x41 && $0 <= 0x5a ? $0 | 0x20 : $0 }
    }

    /// Levenshtein's distance.
    private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let above = row[j + 1]
                row[j + 1] = a == b ? diagonal : min(diagonal, above, row[j]) + 1
                diagonal = above
            }
        }
        return row[right.count]
    }
}
