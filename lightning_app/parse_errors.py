from lightning.pytorch.cli import LightningArgumentParser as BriefParser
