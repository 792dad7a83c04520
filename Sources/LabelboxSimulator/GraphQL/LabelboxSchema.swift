extension Schema {
    /// The part of Labelbox's schema that importing touches.
    ///
    /// Field names are the service's. Names of input types that no client has to write are made up here.
    static let labelbox: Schema = {
        do { return try Schema(parsing: definition) } catch { preconditionFailure("the schema below: \(error)") }
    }()

    private static let definition = """
        scalar Upload
        scalar Json
        scalar JSON
        scalar DateTime
        scalar PageSize
        scalar DatasetOrderByInput
        scalar TaskOrderByInput
        scalar ProjectOrderByInput

        type Query {
          user(where: WhereUniqueIdInput): User
          organization: Organization
          dataset(where: WhereUniqueIdInput!): Dataset
          datasets(where: DatasetWhereInput, skip: Int, first: PageSize, orderBy: DatasetOrderByInput): [Dataset!]!
          datasetDataRows(id: ID!, from: ID, first: Int, where: DatasetDataRowWhereInput): DataRowConnection
          dataRow(where: WhereUniqueIdInput!): DataRow
          project(where: WhereUniqueIdInput!): Project
          projects(where: ProjectWhereInput, skip: Int, first: PageSize, orderBy: ProjectOrderByInput): [Project!]!
          externalIdsToDataRowIds(externalId_in: [String!]!): [ExternalIdToDataRowId!]!
          dataRowsForGlobalKeys(where: WhereIdsInput!): DataRowsJob
          dataRowsForGlobalKeysResult(jobId: WhereUniqueIdInput!): DataRowsForGlobalKeysResult
          successesfulDataRowImports(data: DataRowImportsInput!): SuccessfulDataRowImports
          failedDataRowImports(data: DataRowImportsInput!): FailedDataRowImports
          cancelableTaskTypes: [String!]!
          customMetadataOntology: [CustomMetadata!]!
          iamIntegrations: [IamIntegration!]!
          embeddings: [Embedding!]!
        }

        type Mutation {
          uploadFile(file: Upload!, contentLength: Int!, sign: Boolean): UploadedFile
          upsertDataRows(data: UpsertDataRowsInput!): Task
          appendRowsToDataset(data: AppendRowsToDatasetInput!): AppendRowsToDatasetResult
          appendRowsToDatasetSync(data: AppendRowsToDatasetInput!): AppendRowsToDatasetSyncResult
          createDataRow(data: DataRowCreateInput!): DataRow
          updateDataRow(where: WhereUniqueIdInput!, data: DataRowUpdateInput!): DataRow
          deleteDataRows(where: DataRowIdsInput!): [DeletedDataRow!]!
          createDataset(data: DatasetCreateInput!): Dataset
          updateDataset(where: WhereUniqueIdInput!, data: DatasetUpdateInput!): Dataset
          deleteDataset(where: WhereUniqueIdInput!): Dataset
          setSignerForDataset(data: SetSignerInput!, where: WhereUniqueIdInput!): Dataset
          cancelBulkOperationJob(id: ID!): CancelResult
        }

        input WhereUniqueIdInput { id: ID }
        input WhereIdsInput { ids: [ID!]! }
        input DataRowIdsInput { dataRowIds: [ID!]! }
        input DatasetWhereInput { AND: [DatasetWhereInput!] id: ID name: String deleted: Boolean name_contains: String }
        input ProjectWhereInput { AND: [ProjectWhereInput!] id: ID name: String deleted: Boolean }
        input DatasetDataRowWhereInput { AND: [DatasetDataRowWhereInput!] id: ID externalId: String globalKey: String }
        input DataRowImportsInput { taskId: ID! first: Int from: String }
        input UpsertDataRowsInput { manifestUri: String! }
        input AppendRowsToDatasetInput { datasetId: ID! jsonFileUrl: String! }
        input ConnectInput { connect: WhereUniqueIdInput! }
        input DataRowCreateInput {
          externalId: String globalKey: String rowData: String mediaType: String dataset: ConnectInput!
        }
        input DataRowUpdateInput { externalId: String globalKey: String rowData: String }
        input DatasetCreateInput { name: String! description: String }
        input DatasetUpdateInput { name: String description: String deleted: Boolean }
        input SetSignerInput { signerId: ID! }

        type User {
          id: ID! createdAt: DateTime updatedAt: DateTime email: String name: String nickname: String picture: String
          intercomHash: String isExternalUser: Boolean isViewer: Boolean lastLoginAt: DateTime
          createdTasks(where: WhereUniqueIdInput, skip: Int, first: PageSize, orderBy: TaskOrderByInput): [Task!]!
          organization: Organization
        }
        type Organization { id: ID! name: String createdAt: DateTime updatedAt: DateTime }
        type Dataset {
          id: ID! name: String description: String rowCount: Int createdAt: DateTime updatedAt: DateTime
          deleted: Boolean
          dataRows(where: DatasetDataRowWhereInput, skip: Int, first: PageSize, orderBy: DatasetOrderByInput): [DataRow!]!
        }
        type Project {
          id: ID! name: String description: String createdAt: DateTime updatedAt: DateTime setupComplete: DateTime
          lastActivityTime: DateTime autoAuditNumberOfLabels: Int autoAuditPercentage: Float allowedMediaType: String
          editorTaskType: String dataRowCount: Int modelSetupComplete: Boolean uploadType: String queueMode: String
          isBenchmarkEnabled: Boolean isConsensusEnabled: Boolean
          datasets(where: DatasetWhereInput, skip: Int, first: PageSize, orderBy: DatasetOrderByInput): [Dataset!]!
        }
        type DataRow {
          id: ID! externalId: String globalKey: String rowData: String createdAt: DateTime updatedAt: DateTime
          mediaAttributes: Json metadataFields: [MetadataField!]! customMetadata: [MetadataField!]!
          metadata: [MetadataField!]! dataset: Dataset
          attachments(where: WhereUniqueIdInput, skip: Int, first: PageSize): [Attachment!]!
        }
        type MetadataField { schemaId: ID name: String value: Json kind: String }
        type Attachment { id: ID type: String value: String name: String }
        type PageInfo { hasNextPage: Boolean startCursor: ID endCursor: ID }
        type DataRowConnection { nodes: [DataRow!]! pageInfo: PageInfo totalCount: Int }
        type ExternalIdToDataRowId { dataRowId: ID externalId: String }
        type DataRowsJob { jobId: ID }
        type DataRowId { id: ID }
        type DataRowsForGlobalKeysData {
          fetchedDataRows: [DataRowId!]! notFoundGlobalKeys: [String!]! accessDeniedGlobalKeys: [String!]!
          deletedDataRowGlobalKeys: [String!]!
        }
        type DataRowsForGlobalKeysResult { jobStatus: String data: DataRowsForGlobalKeysData }
        type ImportedDataRow { id: ID externalId: String globalKey: String rowData: String }
        type SuccessfulDataRowImports { nodes: [ImportedDataRow!]! after: String total: Int }
        type ImportSpec {
          externalId: String globalKey: String rowData: String metadata: [MetadataField!]! attachments: [Attachment!]!
        }
        type FailedDataRowImport { message: String spec: ImportSpec }
        type FailedDataRowImports { results: [FailedDataRowImport!]! after: String total: Int }
        type CustomMetadata {
          id: ID name: String kind: String reserved: Boolean options: [CustomMetadata!]! schemaId: ID
        }
        union IamIntegrationSettings = AwsIamIntegrationSettings | GcpIamIntegrationSettings
        type AwsIamIntegrationSettings { roleArn: String }
        type GcpIamIntegrationSettings { serviceAccountEmailId: String readBucket: String }
        type IamIntegration {
          id: ID name: String provider: String isOrgDefault: Boolean valid: Boolean createdAt: DateTime
          updatedAt: DateTime lastValidAt: DateTime settings: IamIntegrationSettings
        }
        type Embedding { id: ID name: String custom: Boolean dims: Int }
        type UploadedFile { url: String filename: String }
        type Task {
          id: ID! createdAt: DateTime updatedAt: DateTime name: String status: String completionPercentage: Float
          result: String errors: Json type: String metadata: Json
        }
        type AppendRowsToDatasetResult { taskId: ID accepted: Boolean errorMessage: String }
        type AppendRowsToDatasetSyncResult { dataset: Dataset }
        type DeletedDataRow { id: ID deleted: Boolean }
        type CancelResult { success: Boolean }
        """
}
