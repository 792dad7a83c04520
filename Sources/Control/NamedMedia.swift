internal import DataRows
internal import Files
internal import Intake
internal import SystemPackage

/// The files that a manifest names.
struct NamedMedia {
    private let manifest: FilePath
    private let locator: MediaLocator
    /// As they were written.
    private var names = Set<String>()
    /// What is there, by where it is: one file may be spelled in several ways.
    private var places: [String: (place: FileKey, bytes: Int64)] = [:]
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

    init(manifest: FilePath, locator: MediaLocator) {
        self.manifest = manifest
        self.locator = locator
    }

    /// How many are named.
    var count: Int { files.count + missingTotal }

    /// How many would be uploaded.
    var uploads: Int { files.count }

    /// Looks for a file that a row names.
    mutating func look(at name: String, named: (MediaLocator.Place) -> Void) {
        guard names.insert(name).inserted else { return }
        switch locator.find(name, besides: manifest) {
        case .found(let place):
            let key = FileKey(root: place.rootIndex, path: place.relativePath)
            places[name] = (key, place.look.identity.size)
            guard files.insert(key).inserted else { return }
            bytes += place.look.identity.size
            named(place)
        case .missing: miss(name, "there is no such file")
        case .refused(let refusal): miss(name, refusal.message)
        }
    }

    /// Compares with what an envelope says of its files; the daemon waits for a file that is not as it was announced.
    mutating func hold(to claims: [String: ManifestHeader.FileClaim]) {
        for (name, claim) in claims.sorted(by: { $0.key < $1.key }) {
            guard let announced = claim.bytes, let found = places[name], found.bytes != announced else { continue }
            files.remove(found.place)
            bytes -= found.bytes
            miss(name, "it has \(found.bytes) bytes, and \(announced) are announced")
        }
    }

    private mutating func miss(_ name: String, _ why: String) {
        missingTotal += 1
        if missing.count < ManifestCheck.shown { missing.append("\(name): \(why)") }
    }
}
