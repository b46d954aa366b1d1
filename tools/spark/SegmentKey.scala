package bavn

import java.util.HexFormat
import org.apache.hadoop.conf.Configuration
import org.apache.hadoop.fs.Path
import org.apache.parquet.crypto.{DecryptionPropertiesFactory, FileDecryptionProperties}

/** The key of a month for Spark, as `bavn store export-key` prints it, from the option `bavn.secret`.
  *
  * Spark keeps what is called a secret out of its logs and pages. Without the option no key is given,
  * and an encrypted segment does not open.
  */
class SegmentKey extends DecryptionPropertiesFactory {
  override def getFileDecryptionProperties(options: Configuration, file: Path) =
    Option(options.get("bavn.secret"))
      .map(key => FileDecryptionProperties.builder().withFooterKey(HexFormat.of().parseHex(key)).build())
      .orNull
}
