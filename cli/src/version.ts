/** The version of systemg. The build checks it against package.json. */
export const version = '0.1.0'
