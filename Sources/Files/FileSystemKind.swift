internal import CLinux
public import SystemPackage

/// Where a folder's files really are, as far as watching them is concerned.
public enum FileSystemKind: String, Hashable, Sendable {
    case local
    /// NFS, SMB and their like: changes made by other machines send no events.
    case network
    /// A program answers for it; what changes behind the program sends no events.
    case fuse

    /// - Throws: `FileError` when the path cannot be reached.
    public static func of(_ path: FilePath) throws(FileError) -> FileSystemKind {
        var magic: UInt64 = 0
        guard path.orCurrent.withPlatformString({ clinux_file_system_magic($0, &magic) }) == 0 else {
            throw .last("statfs", path)
        }
        return FileSystemKind(magic: magic)
    }

    /// Whether inotify tells of every change, so that polling is not needed.
    public var sendsEvents: Bool { self == .local }

    /// - Parameter magic: `f_type` of statfs(2); the numbers are those of linux/magic.h.
    package init(magic: UInt64) {
        self =
            switch magic {
            case 0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x564C, 0x0102_1997, 0x5346_414F, 0x6B41_4653,
                0x7375_7245, 0x00C3_6400, 0x7461_636F, 0x0BD0_0BD0, 0xAAD7_AAEA, 0x2003_0528:
                // NFS, SMB, CIFS, SMB2, NCP, 9P, AFS, kAFS, Coda, Ceph, OCFS2, Lustre, PanFS, OrangeFS
                .network
            case 0x6573_5546: .fuse
            default: .local
            }
    }
}
