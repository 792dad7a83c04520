internal import DataRows
internal import Files
internal import Intake
internal import SystemPackage

/// The files that a manifest names.
struct NamedMedia {
    private let manifest: FilePath
    private let locator: MediaLocator
    private let rules: MediaRules
    /// As they were written.
    private var names = Set<ExactName>()
    /// What is there, by where it is: one file may be spelled in several ways.
    private var places: [ExactName: (place: FileKey, bytes: Int64)] = [:]
    private(set) var bytes: Int64 = 0
    /// The first that are not there, or may not be read, each with why.
    private(set) var missing: [String] = []
    private(set) var missingTotal = 0
    /// Texts that are too long for a row.
    var texts = 0

    private var files = Set<FileKey>()

    /// Where a file is.
    private struct FileKey: Hashable {
        var root: Int
        var path: FilePath
    }

    init(manifest: FilePath, locator: MediaLocator, rules: MediaRules) {
        self.manifest = manifest
        self.rules = rules
        self.locator = locator
    }

    /// How many are named.
    var count: Int { files.count + missingTotal }

    /// How many would be uploaded.
    var uploads: Int { files.count }

    /// Looks for a file that a row names, and at its first bytes.
    ///
    /// - Returns: what is odd about it, where it is looked at for the first time.
    mutating func look(at name: String, named: (MediaLocator.Place) -> Void) -> MediaJudgement.Finding? {
        guard names.insert(ExactName(name)).inserted else { return nil }
        switch locator.find(name, besides: manifest) {
        case .found(let place):
            let key = FileKey(root: place.rootIndex, path: place.relativePath)
            named(place)
            guard let head = locator.head(of: place, count: MediaRules.headBytes) else {
                miss(name, "it cannot be read")
                return nil
            }
            let judgement = rules.judge(name: name, size: place.look.identity.size, head: head)
            if let refusal = judgement.refusal {
                miss(name, "\(refusal.code): \(refusal.message)")
                return nil
            }
            places[ExactName(name)] = (key, place.look.identity.size)
            guard files.insert(key).inserted else { return nil }
            bytes += place.look.identity.size
            return judgement.warning
        case .missing: miss(name, "there is no such file")
        case .refused(let refusal): miss(name, refusal.message)
        }
        return nil
    }

    /// Compares with what an envelope says of its files; the daemon waits for a file that is not as it was announced.
    mutating func hold(to claims: [ExactName: ManifestHeader.FileClaim]) {
        for (name, claim) in claims.sorted(by: { $0.key.text < $1.key.text }) {
            guard let announced = claim.bytes, let found = places[name], found.bytes != announced else { continue }
            files.remove(found.place)
            bytes -= found.bytes
            miss(name.text, "it has \(found.bytes) bytes, and \(announced) are announced")
        }
    }

    private mutating func miss(_ name: String, _ why: String) {
        missingTotal += 1
        if missing.count < ManifestCheck.shown { missing.append("\(name): \(why)") }
    }
}
