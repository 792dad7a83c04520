public import Files
public import SystemPackage

/// Finds the files that manifests name: beneath the drop folder or a media root, and nowhere else.
public struct MediaLocator: Hashable, Sendable {
    /// A regular file that is there.
    public struct Place: Hashable, Sendable {
        /// 0 for the drop folder, n for the n-th of the media roots.
        public let rootIndex: Int
        /// Relative to that root, without links: one file has one such path, however it was spelled.
        public let relativePath: FilePath
        public let look: FileLook
    }

    /// What a path leads to.
    public enum Finding: Hashable, Sendable {
        case found(Place)
        /// Nothing has this name.
        case missing
        case refused(MediaRefusal)
    }

    /// Where the roots are once all links are followed; nil for one that is not there.
    ///
    /// Found once for files that are looked for together: a path of some parts takes as many system calls.
    struct Roots {
        fileprivate let real: [FilePath?]

        subscript(index: Int) -> FilePath? { real[index] }
    }

    private let folder: FilePath
    private let mediaRoots: [FilePath]

    /// Looks beneath these folders.
    public init(folder: FilePath, mediaRoots: [FilePath]) {
        self.folder = folder
        self.mediaRoots = mediaRoots
    }

    /// Finds the file that a path in a manifest means.
    ///
    /// - Parameters:
    ///   - text: relative to the folder where the manifest was dropped, or absolute, or a `file:` URL.
    ///   - manifest: the manifest, relative to the drop folder.
    /// - Returns: the regular file that is there, or why there is none to be read.
    public func find(_ text: String, besides manifest: FilePath) -> Finding {
        find(text, besides: manifest, in: roots())
    }

    func roots() -> Roots { Roots(real: (0...mediaRoots.count).map(canonicalRoot)) }

    func find(_ text: String, besides manifest: FilePath, in roots: Roots) -> Finding {
        do {
            let place = try locate(try MediaPath.parse(text), from: manifest.removingLastComponent(), roots.real)
            guard place.look.kind == .regular else { throw BeneathOpener.Refusal.notRegular(place.look.kind) }
            if place.rootIndex == 0, place.relativePath.components.first == DropFolderLayout.ownFolder {
                let message = "'\(text)' lies in the daemon's own folder. Name a file that you dropped."
                throw MediaRefusal(code: .outside, message: message)
            }
            return .found(place)
        } catch let refusal as MediaRefusal {
            return .refused(refusal)
        } catch let refusal as BeneathOpener.Refusal {
            switch Self.resolution(of: refusal, text: text) {
            case .refused(let refusal): return .refused(refusal)
            case .missing, .ready, .settling: return .missing
            }
        } catch {
            return .refused(MediaRefusal(code: .unreadable, message: "'\(text)' cannot be read: \(error)"))
        }
    }

    /// The first bytes of a file that was found.
    ///
    /// - Parameters:
    ///   - place: where it was found.
    ///   - count: how many bytes at most.
    /// - Returns: the bytes; nil where they cannot be read.
    public func head(of place: Place, count: Int) -> [UInt8]? {
        guard let root = canonicalRoot(place.rootIndex),
            let file = try? BeneathOpener(root: root).open(place.relativePath, followingLinks: false)
        else { return nil }
        var head = [UInt8](repeating: 0, count: count)
        // A read that fails is told as a file that cannot be read; the daemon will say how.
        guard let read = try? head.withUnsafeMutableBytes({ try file.read(into: $0, at: 0) }) else { return nil }
        return Array(head.prefix(read))
    }

    func canonicalRoot(_ index: Int) -> FilePath? {
        (index == 0 ? folder : mediaRoots[index - 1]).withoutLinks()
    }

    private func locate(_ path: FilePath, from origin: FilePath, _ roots: [FilePath?]) throws -> Place {
        guard let drop = roots[0] else { throw BeneathOpener.Refusal.missing }
        if path.isRelative {
            let below = origin.pushing(path)
            do {
                return try located(try BeneathOpener(root: drop).place(below), roots)
            } catch BeneathOpener.Refusal.outside {
                return try locateByRealPath(drop.pushing(below), roots)
            }
        }
        for (given, root) in zip([folder] + mediaRoots, roots) {
            for spelled in [given, root].compactMap(\.self) where path.starts(with: spelled) {
                guard let real = root else { throw BeneathOpener.Refusal.missing }
                var below = path
                _ = below.removePrefix(spelled)
                if below.isEmpty { throw BeneathOpener.Refusal.notRegular(.directory) }
                do {
                    return try located(try BeneathOpener(root: real).place(below), roots)
                } catch BeneathOpener.Refusal.outside {
                    break
                }
            }
        }
        return try locateByRealPath(path, roots)
    }

    /// The way over absolute links, and from one root into another.
    ///
    /// What leads out is refused whether or not it exists, so that a manifest cannot ask what there is.
    private func locateByRealPath(_ path: FilePath, _ roots: [FilePath?]) throws -> Place {
        guard let real = path.withoutLinks() else { throw BeneathOpener.Refusal.outside }
        for case let root? in roots where real != root && real.starts(with: root) {
            var below = real
            _ = below.removePrefix(root)
            // Opened beneath the root again: a link put there since is not followed out.
            return try located(try BeneathOpener(root: root).place(below), roots)
        }
        throw BeneathOpener.Refusal.outside
    }

    private func located(_ place: BeneathOpener.Place, _ roots: [FilePath?]) throws -> Place {
        for (index, root) in roots.enumerated() {
            guard let root, place.path != root, place.path.starts(with: root) else { continue }
            var below = place.path
            _ = below.removePrefix(root)
            return Place(rootIndex: index, relativePath: below, look: place.look)
        }
        guard roots.contains(place.path) else { throw BeneathOpener.Refusal.outside }
        throw BeneathOpener.Refusal.notRegular(.directory)
    }

    /// What a refusal means for whoever named the path.
    static func resolution(of refusal: BeneathOpener.Refusal, text: String) -> MediaResolution {
        switch refusal {
        case .missing: .missing
        case .outside:
            .refused(
                MediaRefusal(
                    code: .outside,
                    message:
                        "'\(text)' leads out of the drop folder. Put the file in it, or its folder into 'media_roots'.")
            )
        case .notRegular(.directory):
            .refused(MediaRefusal(code: .directory, message: "'\(text)' is a folder. Name a file."))
        case .notRegular(let kind):
            .refused(MediaRefusal(code: .notRegular, message: "'\(text)' is a \(kind). Name a regular file."))
        case .failed(let error):
            .refused(
                MediaRefusal(
                    code: .unreadable, message: "'\(text)' cannot be read: \(error)",
                    isPassing: error.isTroubleOfTheMachine))
        }
    }
}
