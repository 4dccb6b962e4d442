/** The text of src/formats/eventnet/codes.ts. */
export declare const generateCodes: () => string
